//! A line of an expense may be negative: a discount or a deposit. SQLite changes no CHECK of a table that is there, so
//! its table is written anew.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        allow(manager, -LARGEST_AMOUNT).await
    }

    /// Fails where a line is negative.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        allow(manager, 1).await
    }
}

/// Lets amounts of lines begin there. None is 0.
async fn allow(manager: &SchemaManager<'_>, smallest: i64) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Postgres {
        let statement = format!(
            r#"ALTER TABLE "expense_item" DROP CONSTRAINT "expense_item_amount_minor_check",
               ADD CONSTRAINT "expense_item_amount_minor_check" CHECK ("amount_minor" <> 0
               AND "amount_minor" BETWEEN {smallest} AND {LARGEST_AMOUNT})"#
        );
        return connection.execute_unprepared(&statement).await.map(drop);
    }
    manager.create_table(expense_item(smallest)).await?;
    let copy = format!(r#"INSERT INTO "{NEW}" SELECT * FROM "expense_item""#);
    connection.execute_unprepared(&copy).await?;
    manager.drop_table(Table::drop().table("expense_item").to_owned()).await?;
    manager.rename_table(Table::rename().table(NEW, "expense_item").to_owned()).await?;
    let of_project = index("expense_item", &["project_id", "expense_id"])
        .and_where(Expr::col("project_id").is_not_null())
        .to_owned();
    let indexes = [
        unique("expense_item", &["expense_id", "position"]),
        index("expense_item", &["category_id"]),
        of_project,
    ];
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

const NEW: &str = "new_expense_item";

fn expense_item(smallest: i64) -> TableCreateStatement {
    let mut amount = big_integer("amount_minor");
    let amount_minor = || Expr::col("amount_minor");
    amount.check(amount_minor().ne(0).and(amount_minor().between(smallest, LARGEST_AMOUNT)));
    owned_table(NEW)
        .col(id("expense_id"))
        .col(big_integer("position"))
        .col(string_len("name", 200))
        .col(big_integer_null("quantity_milli"))
        .col(string_len_null("unit", 20))
        .col(amount)
        .col(id_null("category_id"))
        .col(id_null("project_id"))
        .foreign_key(reference(NEW, "expense_id", "expense").on_delete(ForeignKeyAction::Cascade))
        .foreign_key(&mut reference(NEW, "category_id", "category"))
        .take()
}
