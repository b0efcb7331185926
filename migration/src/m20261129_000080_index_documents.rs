//! Indexes of documents: for each declared path of a collection the values of its documents, in their order.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [document_index(), document_value()] {
            manager.create_table(table).await?;
        }
        let columns = [("value", VALUE_LENGTH), ("key", KEY_LENGTH)];
        order_by_bytes(manager, "document_value", &columns).await?;
        for index in [
            index("document_index", &["collection_id"]),
            index("document_value", &["document_id"]),
            Index::create()
                .name("idx-document_index-state")
                .table("document_index")
                .col("state")
                .to_owned(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["document_value", "document_index"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// 1,024 bytes in base64.
const VALUE_LENGTH: u32 = 1_366;
const KEY_LENGTH: u32 = 512;

/// The id follows from the collection and the pointer.
fn document_index() -> TableCreateStatement {
    let collection = reference("document_index", "collection_id", "collection");
    owned_table("document_index")
        .col(id("collection_id"))
        .col(string_len("pointer", 512))
        .col(word("state", &["building", "ready", "dropping"]))
        .col(string_len_null("built_to", KEY_LENGTH))
        .foreign_key(collection.to_owned().on_delete(ForeignKeyAction::Cascade))
        .take()
}

/// The key is the order in which an index is read.
fn document_value() -> TableCreateStatement {
    let document = reference("document_value", "document_id", "document");
    keyed(
        "document_value",
        [
            id("index_id"),
            boolean("element"),
            string_len("value", VALUE_LENGTH),
            string_len("key", KEY_LENGTH),
        ],
    )
    .col(id("document_id"))
    .foreign_key(document.to_owned().on_delete(ForeignKeyAction::Cascade))
    .take()
}
