//! __Texts__.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(__snake__()).await?;
        order_by_bytes(manager, "__snake__", &[("name_key", 300)]).await?;
        manager.create_index(index("__snake__", &["name_key", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("__snake__").to_owned()).await
    }
}

fn __snake__() -> TableCreateStatement {
    versioned(owned_table("__snake__"))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(string_len_null("note", 5000))
        .take()
}
