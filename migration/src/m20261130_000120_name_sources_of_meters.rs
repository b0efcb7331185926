//! The series of InfluxDB's line protocol that writes to a meter, if one does.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::unique;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = string_len_null("source", 500);
        manager.alter_table(Table::alter().table("meter").add_column(column).to_owned()).await?;
        manager.create_index(unique("meter", &["source"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().table("meter").name("unq-meter-source").to_owned())
            .await?;
        let table = Table::alter().table("meter").drop_column("source").to_owned();
        manager.alter_table(table).await
    }
}
