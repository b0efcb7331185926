//! The schema: its migrations, and the statistics that plans are made with.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityName};

use super::{
    Engine, Store, Writer,
    connections::{Connections, PoolPermit},
    postgres,
};
use crate::error::Result;

/// A transaction in which the schema can be changed.
pub(super) struct Schema {
    pub(super) transaction: DatabaseTransaction,
    pub(super) _permit: PoolPermit,
}

impl Store {
    /// Applies every migration that is missing, all or none. Several processes may do so at once: one
    /// works and the others wait.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        let schema = self.lock_schema().await?;
        Migrator::up(&schema.transaction, None).await?;
        schema.transaction.commit().await
    }

    /// Takes the last `steps` migrations back, all or none.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        let schema = self.lock_schema().await?;
        Migrator::down(&schema.transaction, Some(steps)).await?;
        schema.transaction.commit().await
    }

    pub(super) async fn lock_schema(&self) -> Result<Schema, DbErr> {
        match &self.writer {
            Writer::Sqlite(writer) => writer.lock_schema().await,
            Writer::Postgres(pools) => postgres::lock_schema(pools).await,
        }
    }

    /// Every migration and whether it has been applied. Changes nothing.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, DbErr> {
        let connection = self.schema_connection();
        let applied = Migrator::get_applied_migrations_read_only(connection).await?;
        let pending = Migrator::get_pending_migrations_read_only(connection).await?;
        let named = |migrations: Vec<migration::Migration>, done| {
            migrations.into_iter().map(move |m| (m.name().to_owned(), done)).collect::<Vec<_>>()
        };
        Ok([named(applied, true), named(pending, false)].concat())
    }

    pub(super) fn schema_connection(&self) -> &Connections {
        match &self.writer {
            Writer::Sqlite(writer) => writer.connections(),
            Writer::Postgres(pools) => &pools.direct,
        }
    }

    /// Renews the statistics of a table into which many rows have just been written: PostgreSQL goes on with plans
    /// that were made while it was empty, until autovacuum comes by. SQLite's plans do not depend on them.
    pub async fn analyze(&self, table: impl EntityName) -> Result<()> {
        if self.engine == Engine::Postgres {
            let sql = format!("ANALYZE \"{}\"", table.table_name());
            self.reader.execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
