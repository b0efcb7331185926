//! Texts of documents that their schemas mark as secret are encrypted, apart from the body.

use sea_orm_migration::{prelude::*, schema::*};

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = text_null("secrets");
        manager.alter_table(Table::alter().table("document").add_column(column).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("document").drop_column("secrets").to_owned();
        manager.alter_table(column).await
    }
}
