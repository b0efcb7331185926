//! How many requests an API key may send in a minute, if it has a limit of its own.

use sea_orm_migration::{prelude::*, schema::*};

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = big_integer_null("requests_per_minute");
        column.check(Expr::col("requests_per_minute").between(1, 6_000_000));
        manager.alter_table(Table::alter().table("api_key").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter().table("api_key").drop_column("requests_per_minute").to_owned();
        manager.alter_table(table).await
    }
}
