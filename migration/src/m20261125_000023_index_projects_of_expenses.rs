//! What finds the expenses of a project in the orders in which they are listed and summed, and those that have
//! lines: small where few do.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (_, index) in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, index) in indexes() {
            let name = index.get_index_spec().get_name().map(str::to_owned);
            let drop = Index::drop().name(name.unwrap_or_default()).table(table).to_owned();
            manager.drop_index(drop).await?;
        }
        Ok(())
    }
}

fn indexes() -> [(&'static str, IndexCreateStatement); 4] {
    let for_one = || Expr::col("project_id").is_not_null();
    let of_expense = |columns: &[&'static str]| ("expense", index("expense", columns));
    let of_projects = |order| {
        let (table, mut index) = of_expense(&["project_id", order, "id"]);
        (table, index.and_where(for_one()).to_owned())
    };
    let (expense, mut with_lines) = of_expense(&["spent_on", "item_count"]);
    [
        of_projects("spent_on"),
        of_projects("created_at"),
        (
            expense,
            with_lines
                .name("idx-expense-with_items")
                .and_where(Expr::col("item_count").gt(0))
                .to_owned(),
        ),
        (
            "expense_item",
            index("expense_item", &["project_id", "expense_id"]).and_where(for_one()).to_owned(),
        ),
    ]
}
