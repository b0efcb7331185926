//! How often access was revoked, for nodes that share the database (docs/decisions/0032).

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string_len},
};

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// In a few rows, so that transactions that revoke at the same time seldom wait for each other. SQLite, whose file one
/// process serves, has none.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("revocation_count")
            .col(string_len("slot", 8).primary_key().take())
            .col(big_integer("revocations"))
            .take();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("revocation_count").to_owned()).await
    }
}
