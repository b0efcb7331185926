//! What is known of the rows of imported files, also where what was made of them is gone; and room for keys by which
//! texts are searched in NFC, which has up to three characters for one.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, string_len, string_len_null},
    sea_orm::DbBackend,
};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(imported_row()).await?;
        order_by_bytes(manager, "imported_row", &[("import_key", 64), ("bucket", 64)]).await?;
        manager.create_index(index("imported_row", &["bucket"])).await?;
        manager.create_index(index("imported_row", &["row_id"])).await?;
        for statement in [EXPENSES, TIME_ENTRIES] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        let column = big_integer_null("deleted_before");
        manager.alter_table(Table::alter().table("import").add_column(column).to_owned()).await?;
        order_by_bytes(manager, "time_entry", &[("search_key", 20_000)]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            let narrow = r#"ALTER TABLE "time_entry" ALTER COLUMN "search_key" TYPE varchar(16000)
                COLLATE "C" USING left("search_key", 16000)"#;
            manager.get_connection().execute_unprepared(narrow).await?;
        }
        let column = Table::alter().table("import").drop_column("deleted_before").to_owned();
        manager.alter_table(column).await?;
        manager.drop_table(Table::drop().table("imported_row").to_owned()).await
    }
}

/// `row_id` is the expense or the entry of time that was made of it last, which may be gone. What was imported
/// before has no `bucket` and no `texts`; of an expense, `member_id` says whose it was then.
fn imported_row() -> TableCreateStatement {
    keyed("imported_row", [string_len("import_key", 64)])
        .col(string_len_null("bucket", 64))
        .col(string_len_null("texts", 200))
        .col(id("row_id"))
        .col(id_null("member_id"))
        .take()
}

const EXPENSES: &str = r#"INSERT INTO "imported_row" ("organization_id", "import_key", "row_id", "member_id")
    SELECT "organization_id", "import_key", "id", "member_id" FROM "expense"
    WHERE "import_key" IS NOT NULL"#;

const TIME_ENTRIES: &str = r#"INSERT INTO "imported_row" ("organization_id", "import_key", "row_id")
    SELECT "organization_id", "import_key", "id" FROM "time_entry"
    WHERE "import_key" IS NOT NULL ON CONFLICT DO NOTHING"#;
