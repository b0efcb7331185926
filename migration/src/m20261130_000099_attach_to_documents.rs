//! Attachments of documents: what is known of them is part of each revision, and their bytes are kept once for each
//! content (docs/decisions/0052).

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["document", "document_leaf"] {
            let column = text_null("attachments");
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        for table in [document_blob(), document_blob_use()] {
            manager.create_table(table).await?;
        }
        let unused = index("document_blob", &["uses"])
            .name(UNUSED)
            .and_where(Expr::col("uses").eq(0))
            .to_owned();
        manager.create_index(unused).await?;
        manager.create_index(index("document_blob_use", &["collection_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["document_blob_use", "document_blob"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        for table in ["document_leaf", "document"] {
            let column = Table::alter().table(table).drop_column("attachments").to_owned();
            manager.alter_table(column).await?;
        }
        Ok(())
    }
}

const UNUSED: &str = "idx-document_blob-unused";

/// Bytes, by their hash, and how many documents have them: those of none are removed in the background.
fn document_blob() -> TableCreateStatement {
    let mut uses = big_integer("uses");
    uses.check(Expr::col("uses").gte(0));
    keyed("document_blob", [string_len("sha256", 64)]).col(blob("bytes")).col(uses).take()
}

/// Which documents have them, in whichever of the leaves.
fn document_blob_use() -> TableCreateStatement {
    keyed("document_blob_use", [id("document_id"), string_len("sha256", 64)])
        .col(id("collection_id"))
        .take()
}
