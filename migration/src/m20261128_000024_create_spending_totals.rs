//! Materialized sums of expenses, and what changed them since (docs/decisions/0021).

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, date, string_len, timestamp_with_time_zone},
};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [spending_total(), spending_delta(), spending_backfill()] {
            manager.create_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["spending_backfill", "spending_delta", "spending_total"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// The nil UUID is of all projects, and of no category and no project. Sums are in two halves, as they are read.
fn spending_total() -> TableCreateStatement {
    let mut dimension = string_len("dimension", 16);
    dimension.check(Expr::col("dimension").is_in(["category", "project", "member"]));
    keyed("spending_total", [id("project_id"), dimension, date("month"), id("key_id"), currency()])
        .col(big_integer("settled_high"))
        .col(big_integer("settled_low"))
        .col(big_integer("pending_high"))
        .col(big_integer("pending_low"))
        .col(big_integer("count"))
        .col(big_integer("first_count"))
        .take()
}

/// Appended to and never updated, so that writers of the same sum do not wait for each other.
fn spending_delta() -> TableCreateStatement {
    owned_table("spending_delta")
        .col(date("month"))
        .col(id_null("project_id"))
        .col(id_null("category_id"))
        .col(id("member_id"))
        .col(currency())
        .col(big_integer("settled_minor"))
        .col(big_integer("pending_minor"))
        .col(big_integer("expense_count"))
        .col(big_integer("category_count"))
        .col(big_integer("project_count"))
        .col(big_integer("part_count"))
        .take()
}

fn spending_backfill() -> TableCreateStatement {
    keyed("spending_backfill", []).col(timestamp_with_time_zone("completed_at")).take()
}
