//! A rate says in which currency it is: so far, the organization's.

use sea_orm_migration::{prelude::*, schema::string_len_null};

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = string_len_null("currency", 3);
        manager.alter_table(Table::alter().table("rate").add_column(column).to_owned()).await?;
        let fill = r#"UPDATE "rate" SET "currency" = (SELECT "currency" FROM "organization"
            WHERE "organization"."id" = "rate"."organization_id")"#;
        manager.get_connection().execute_unprepared(fill).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("rate").drop_column("currency").to_owned();
        manager.alter_table(column).await
    }
}
