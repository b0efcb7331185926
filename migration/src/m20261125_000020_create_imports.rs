//! Imports that are too large for one transaction: what is left to be written of them, and how far they are.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [import(), import_slice()] {
            manager.create_table(table).await?;
        }
        for index in [
            index("import", &["created_at", "id"]),
            // What is swept: those of all organizations that nobody has finished to bring in.
            Index::create()
                .name("idx-import-staging_until")
                .table("import")
                .col("staging_until")
                .to_owned(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["import_slice", "import"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Its id is that of its saga, which begins when all slices are there: until then `staging_until` says how long
/// whoever brings them is waited for. `next_slice` is the one that is written next, or was written last before
/// the one that is taken back next.
fn import() -> TableCreateStatement {
    owned_table("import")
        .col(instant("created_at"))
        .col(instant("updated_at"))
        .col(word("kind", &["expenses", "time_entries"]))
        .col(instant_null("staging_until"))
        .col(json_binary("options"))
        .col(big_integer("slices"))
        .col(big_integer("next_slice"))
        .col(big_integer("total"))
        .col(big_integer("created"))
        .col(big_integer("duplicates"))
        .col(big_integer("ignored"))
        .col(big_integer("failed"))
        .col(big_integer("created_categories"))
        .col(big_integer("created_projects"))
        .col(big_integer("created_tasks"))
        .col(big_integer("created_members"))
        .col(json_binary("errors"))
        .take()
}

/// Some rows of the file, and once they are written, the ids of what was made of them. No foreign key to
/// the import: with it, sea-orm-cli takes `import` for a junction, and generates what does not compile. Slices
/// go before their import, in parts.
fn import_slice() -> TableCreateStatement {
    keyed("import_slice", [id("import_id"), big_integer("ordinal")])
        .col(json_binary("rows"))
        .col(json_binary_null("written"))
        .take()
}
