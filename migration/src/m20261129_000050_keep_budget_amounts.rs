//! The amounts that a budget has had, and since when.

use sea_orm_migration::{prelude::*, schema::*};

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A budget without a list has one amount, from its beginning: so has each that there is.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = json_binary_null("amounts");
        manager.alter_table(Table::alter().table("budget").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("budget").drop_column("amounts").to_owned()).await
    }
}
