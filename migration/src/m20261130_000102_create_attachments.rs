//! Files that belong to rows, and what is stored of them.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What an attachment can belong to: the table of the row, and the column that refers to it.
const PARENTS: [(&str, &str); 7] = [
    ("daily_report", "daily_report_id"),
    ("expense", "expense_id"),
    ("incident", "incident_id"),
    ("journal_entry", "journal_entry_id"),
    ("member", "member_id"),
    ("project", "project_id"),
    ("task", "task_id"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [stored_object(), storage_usage(), object_removal(), attachment()] {
            manager.create_table(table).await?;
        }
        manager.create_index(unique("stored_object", &["sha256"])).await?;
        for (_, column) in PARENTS {
            manager.create_index(index("attachment", &[column, "created_at", "id"])).await?;
        }
        manager.create_index(index("attachment", &["object_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["attachment", "object_removal", "storage_usage", "stored_object"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Bytes that attachments of an organization have in common. `sha256` and `size` are of what is stored, which is sealed
/// for some; with the id, the hash is the object's name. It does not refer to the organization: sea-orm-cli takes a
/// table with two keys and two relations for a junction. The purge removes its rows.
fn stored_object() -> TableCreateStatement {
    loose_table("stored_object")
        .col(hash("sha256"))
        .col(big_integer("size"))
        .col(big_integer("reference_count"))
        .col(instant("created_at"))
        .take()
}

/// How many bytes the objects of an organization have.
fn storage_usage() -> TableCreateStatement {
    Table::create()
        .table("storage_usage")
        .col(pk_uuid("organization_id"))
        .col(big_integer("bytes"))
        .foreign_key(
            ForeignKey::create()
                .from("storage_usage", "organization_id")
                .to("organization", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// Objects that no row names any more, and folders of them, until they are removed: their names.
fn object_removal() -> TableCreateStatement {
    table("object_removal").col(string_len("name", 200)).take()
}

/// Exactly one of the references is set. `sha256` and `size` are of the content. The key of a content that is sealed is
/// sealed itself.
fn attachment() -> TableCreateStatement {
    let mut table = versioned(owned_table("attachment"));
    for (parent, column) in PARENTS {
        table.col(id_null(column)).foreign_key(&mut reference("attachment", column, parent));
    }
    table
        .col(string_len("name", 255))
        .col(string_len("media_type", 127))
        .col(big_integer("size"))
        .col(hash("sha256"))
        .col(id("object_id"))
        .col(text_null("content_key"))
        .foreign_key(&mut reference("attachment", "object_id", "stored_object"))
        .check(one_parent())
        .take()
}

fn one_parent() -> Expr {
    let set =
        |(_, column): &(&str, &str)| format!(r#"CASE WHEN "{column}" IS NULL THEN 0 ELSE 1 END"#);
    let count = PARENTS.iter().map(set).collect::<Vec<_>>().join(" + ");
    Expr::cust(format!("{count} = 1"))
}
