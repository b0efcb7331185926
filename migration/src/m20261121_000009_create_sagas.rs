//! Sagas: work of several steps that is carried on after any interruption, or undone; and what the
//! first one, which pays members back, needs to know.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(saga()).await?;
        for index in [
            index("saga", &["created_at", "id"]),
            // What the worker looks for: those of all organizations that are due.
            Index::create().name("idx-saga-due_at").table("saga").col("due_at").to_owned(),
        ] {
            manager.create_index(index).await?;
        }
        for (table, column) in added() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in added().into_iter().rev() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        manager.drop_table(Table::drop().table("saga").to_owned()).await
    }
}

/// What the saga knows (`data`) and how far each step is (`steps`) are its own business. `due_at` is when
/// somebody may take it up; while a call is under way, how long its answer is waited for.
fn saga() -> TableCreateStatement {
    versioned(owned_table("saga"))
        .col(string_len("kind", 32))
        .col(word("state", &["running", "compensating", "completed", "compensated", "failed"]))
        .col(big_integer("step"))
        .col(boolean("undoing"))
        .col(instant_null("due_at"))
        .col(id("expense_id"))
        .col(json_binary("steps"))
        .col(json_binary("data"))
        .col(string_len_null("reason", 500))
        .take()
}

fn added() -> [(&'static str, ColumnDef); 3] {
    [
        ("organization", string_len_null("payout_url", 2000)),
        ("expense", id_null("payout_saga_id")),
        ("expense", string_len_null("payout_error", 500)),
    ]
}
