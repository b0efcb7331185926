//! Which projects expenses and their lines name.
//!
//! SQLite adds no column that refers to another table by several columns. So the columns of expenses and
//! lines are there to be read, and what the database checks is a table of its own.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Those that have the column.
const TABLES: [&str; 2] = ["expense", "expense_item"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            let column = id_null("project_id");
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        manager.create_table(expense_project()).await?;
        manager.create_index(index("expense_project", &["project_id", "expense_id"])).await?;
        cover(manager, &["project_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        cover(manager, &[]).await?;
        manager.drop_table(Table::drop().table("expense_project").to_owned()).await?;
        for table in TABLES {
            let table = Table::alter().table(table).drop_column("project_id").to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}

/// A row for each project that an expense names, or a line of it: it is what the database checks, and what
/// expenses are found by.
fn expense_project() -> TableCreateStatement {
    keyed("expense_project", [id("expense_id"), id("project_id")])
        .foreign_key(
            reference("expense_project", "expense_id", "expense")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(&mut reference("expense_project", "project_id", "project"))
        .take()
}

/// Makes the index anew that serves the list in order of day, and holds all that the spending reports
/// read, with these columns more.
async fn cover(manager: &SchemaManager<'_>, more: &[&'static str]) -> Result<(), DbErr> {
    const NAME: &str = "idx-expense-spending";
    const COLUMNS: [&str; 9] = [
        "spent_on",
        "id",
        "category_id",
        "member_id",
        "status",
        "kind",
        "currency",
        "amount_minor",
        "item_count",
    ];
    manager.drop_index(Index::drop().name(NAME).table("expense").to_owned()).await?;
    let columns = [&COLUMNS[..], more].concat();
    manager.create_index(index("expense", &columns).name(NAME).to_owned()).await
}
