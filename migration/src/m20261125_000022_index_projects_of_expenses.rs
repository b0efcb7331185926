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

/// What the spending reports read of an expense besides what finds it.
const SUMMED: [&str; 7] =
    ["category_id", "member_id", "status", "kind", "currency", "amount_minor", "item_count"];

fn indexes() -> [(&'static str, IndexCreateStatement); 4] {
    let spending = |found_by: &[&'static str], name: &str, only: Expr| {
        let mut index = index("expense", &[found_by, &SUMMED].concat());
        index.name(name).and_where(only).to_owned()
    };
    let of_one = |table, columns: &[&'static str]| {
        index(table, columns).and_where(Expr::col("project_id").is_not_null()).to_owned()
    };
    let for_projects = Expr::col("project_id").is_not_null();
    let with_lines = Expr::col("item_count").gt(0);
    let by_project = ["project_id", "spent_on", "id"];
    let by_day = ["spent_on", "id", "project_id"];
    [
        ("expense", spending(&by_project, "idx-expense-project_spending", for_projects)),
        ("expense", spending(&by_day, "idx-expense-line_spending", with_lines)),
        ("expense", of_one("expense", &["project_id", "created_at", "id"])),
        ("expense_item", of_one("expense_item", &["project_id", "expense_id"])),
    ]
}
