//! Events of kind `*.changed` are called `*.updated`: rules and webhooks that wait for them follow. Events that are
//! in the log keep their kind, which their digest covers.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename(manager, "changed", "updated").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename(manager, "updated", "changed").await
    }
}

async fn rename(manager: &SchemaManager<'_>, from: &str, to: &str) -> Result<(), DbErr> {
    let rules = format!(
        "UPDATE rule SET kind = replace(kind, '.{from}', '.{to}') WHERE kind LIKE '%.{from}'"
    );
    manager.get_connection().execute_unprepared(&rules).await?;
    let kinds = match manager.get_database_backend() {
        DbBackend::Postgres => format!("replace(kinds::text, '.{from}\"', '.{to}\"')::jsonb"),
        _ => format!("replace(kinds, '.{from}\"', '.{to}\"')"),
    };
    let webhooks = format!("UPDATE webhook SET kinds = {kinds}");
    manager.get_connection().execute_unprepared(&webhooks).await.map(drop)
}
