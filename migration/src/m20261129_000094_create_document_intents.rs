//! Documents that another store is to keep: what was written here and is not confirmed there (docs/decisions/0048).

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(document_intent()).await?;
        // Whoever keeps documents does it for all organizations.
        for column in ["created_at", "due_at"] {
            let index = Index::create()
                .name(format!("idx-document_intent-{column}"))
                .table("document_intent")
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("document_intent").to_owned()).await
    }
}

/// At most one of a document: the last version is what counts. It refers to no document, which may be deleted.
fn document_intent() -> TableCreateStatement {
    keyed("document_intent", [id("document_id")])
        .col(id("collection_id"))
        .col(string_len("key", 512))
        .col(big_integer("document_version"))
        .col(boolean("deleted"))
        .col(id("write_id"))
        .col(instant("created_at"))
        .col(instant("written_at"))
        .col(instant("due_at"))
        .col(big_integer("failures"))
        .col(string_len_null("failure", 64))
        .take()
}
