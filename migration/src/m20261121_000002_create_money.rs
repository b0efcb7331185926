//! Categories, budgets, and expenses with their lines.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [category(), budget(), expense(), expense_item()] {
            manager.create_table(table).await?;
        }
        order_by_bytes(manager, "category", &[("sibling_key", 340), ("name_key", 300)]).await?;
        order_by_bytes(manager, "budget", &[("name_key", 300)]).await?;
        order_by_bytes(
            manager,
            "expense",
            &[("merchant_key", 600), ("search_key", 7000), ("import_key", 64)],
        )
        .await?;
        for index in [
            unique("category", &["sibling_key"]),
            index("category", &["name_key", "id"]),
            index("category", &["parent_id"]),
            index("budget", &["name_key", "id"]),
            index("budget", &["category_id"]),
            unique("expense", &["import_key"]),
            index("expense", &["created_at", "id"]),
            index("expense", &["amount_minor", "id"]),
            index("expense", &["merchant_key", "id"]),
            index("expense", &["category_id", "spent_on", "id"]),
            index("expense", &["member_id", "spent_on", "id"]),
            index("expense", &["status", "spent_on", "id"]),
            // Serves the list in order of day, and holds all that the spending reports read.
            index(
                "expense",
                &[
                    "spent_on",
                    "id",
                    "category_id",
                    "member_id",
                    "status",
                    "kind",
                    "currency",
                    "amount_minor",
                    "item_count",
                ],
            )
            .name("idx-expense-spending")
            .to_owned(),
            unique("expense_item", &["expense_id", "position"]),
            index("expense_item", &["category_id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["expense_item", "expense", "budget", "category"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn category() -> TableCreateStatement {
    versioned(owned_table("category"))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(word("kind", &["expense", "income"]))
        .col(id_null("parent_id"))
        // The parent and the folded name in one: a plain unique index that holds at the root too.
        .col(string_len("sibling_key", 340))
        .foreign_key(&mut reference("category", "parent_id", "category"))
        .take()
}

fn budget() -> TableCreateStatement {
    versioned(owned_table("budget"))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(id_null("category_id"))
        .col(word("period", &["week", "month", "quarter", "year"]))
        .col(amount("amount_minor"))
        .col(currency())
        .col(date("starts_on"))
        .col(date_null("ends_on"))
        .foreign_key(&mut reference("budget", "category_id", "category"))
        .take()
}

fn expense() -> TableCreateStatement {
    versioned(owned_table("expense"))
        .col(id("member_id"))
        .col(id_null("category_id"))
        .col(word("kind", &["purchase", "refund"]))
        .col(word("status", &["draft", "submitted", "approved", "rejected", "reimbursed"]))
        .col(date("spent_on"))
        .col(amount("amount_minor"))
        .col(currency())
        .col(string_len_null("merchant", 200))
        .col(string_len("merchant_key", 600))
        .col(string_len_null("payment_method", 50))
        .col(string_len_null("note", 2000))
        .col(string_len_null("place", 200))
        .col(json_binary_null("details"))
        .col(string_len("search_key", 7000))
        .col(big_integer("item_count"))
        .col(instant_null("submitted_at"))
        .col(instant_null("decided_at"))
        .col(id_null("decided_by_member_id"))
        .col(string_len_null("decision_note", 500))
        .col(instant_null("reimbursed_at"))
        .col(string_len_null("import_key", 64))
        .foreign_key(&mut reference("expense", "member_id", "member"))
        .foreign_key(&mut reference("expense", "category_id", "category"))
        .foreign_key(&mut reference("expense", "decided_by_member_id", "member"))
        .take()
}

fn expense_item() -> TableCreateStatement {
    owned_table("expense_item")
        .col(id("expense_id"))
        .col(big_integer("position"))
        .col(string_len("name", 200))
        .col(big_integer_null("quantity_milli"))
        .col(string_len_null("unit", 20))
        .col(amount("amount_minor"))
        .col(id_null("category_id"))
        .foreign_key(
            reference("expense_item", "expense_id", "expense").on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(&mut reference("expense_item", "category_id", "category"))
        .take()
}
