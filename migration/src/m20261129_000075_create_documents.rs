//! Documents, in collections.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [collection(), document()] {
            manager.create_table(table).await?;
        }
        order_by_bytes(manager, "collection", &[("name", 63)]).await?;
        order_by_bytes(manager, "document", &[("key", 512)]).await?;
        for index in [
            unique("collection", &["name"]),
            index("collection", &["name", "id"]),
            index("collection", &["access_version"]),
            // Unique, since the id of a document follows from its collection and its key.
            index("document", &["collection_id", "key", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["document", "collection"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

const ROLES: &[&str] = &["viewer", "member", "manager", "admin", "owner"];

/// The schema is JSON to the letter. The indexes are a list of JSON Pointers. The version of access is that since which
/// the role that may read is what it is.
fn collection() -> TableCreateStatement {
    versioned(owned_table("collection"))
        .col(string_len("name", 63))
        .col(string_len_null("title", 200))
        .col(text_null("schema"))
        .col(json_binary("indexes"))
        .col(word("read_role", ROLES))
        .col(word("write_role", ROLES))
        .col(big_integer("access_version"))
        .take()
}

/// The body is JSON to the letter.
fn document() -> TableCreateStatement {
    versioned(owned_table("document"))
        .col(id("collection_id"))
        .col(string_len("key", 512))
        .col(text("body"))
        .foreign_key(&mut reference("document", "collection_id", "collection"))
        .take()
}
