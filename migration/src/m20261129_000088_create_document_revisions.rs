//! The trees of revisions of documents, for clients that edit them offline (docs/decisions/0044).

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [document_leaf(), document_revision(), document_checkpoint()] {
            manager.create_table(table).await?;
        }
        for table in ["document_leaf", "document_revision"] {
            order_by_bytes(manager, table, &[("digest", 64)]).await?;
        }
        order_by_bytes(manager, "document_leaf", &[("key", 512)]).await?;
        order_by_bytes(manager, "document_checkpoint", &[("key", 512)]).await?;
        manager.create_index(index("document_leaf", &["collection_id"])).await?;
        manager.create_index(index("document_revision", &["collection_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["document_checkpoint", "document_revision", "document_leaf"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// The ends of branches. The body of the one that wins is the document's, unless that is deleted.
fn document_leaf() -> TableCreateStatement {
    keyed("document_leaf", [id("document_id"), big_integer("generation"), string_len("digest", 64)])
        .col(id("collection_id"))
        .col(string_len("key", 512))
        .col(boolean("deleted"))
        .col(text_null("body"))
        .take()
}

/// Every revision that is known of a document, and which version of the document it was, if it has won.
fn document_revision() -> TableCreateStatement {
    let key = [id("document_id"), big_integer("generation"), string_len("digest", 64)];
    keyed("document_revision", key)
        .col(id("collection_id"))
        .col(string_len_null("parent", 64))
        .col(big_integer_null("document_version"))
        .take()
}

/// How far clients have come: what CouchDB calls local documents.
fn document_checkpoint() -> TableCreateStatement {
    keyed("document_checkpoint", [id("collection_id"), string_len("key", 512)])
        .col(big_integer("revision"))
        .col(text("body"))
        .col(instant("updated_at"))
        .take()
}
