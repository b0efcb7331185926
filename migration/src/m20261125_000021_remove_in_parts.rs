//! Organizations and webhooks that are deleted, and whose rows are removed some at a time. And what says that a
//! row is referred to by none, for references by which nobody looks for anything else.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 2] = ["organization", "webhook"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            let column = instant_null("deleted_at");
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
            // Empty but for a while after somebody has deleted one.
            let deleted = Index::create()
                .name(index_of(table))
                .table(table)
                .col("deleted_at")
                .and_where(Expr::col("deleted_at").is_not_null())
                .to_owned();
            manager.create_index(deleted).await?;
        }
        for reference in referring() {
            manager.create_index(reference).await?;
        }
        Ok(())
    }

    /// What is deleted and not yet removed goes at once: it must not come back.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let deleted = || Expr::col("deleted_at").is_not_null();
        let organizations =
            || Query::select().column("id").from("organization").and_where(deleted()).to_owned();
        for (table, column) in REFERRING {
            let name = index(table, &[column]).get_index_spec().get_name().map(str::to_owned);
            manager
                .drop_index(Index::drop().name(name.unwrap_or_default()).table(table).to_owned())
                .await?;
        }
        for log in ["event", "event_head", "idempotency_key"] {
            let theirs = Expr::col("organization_id").in_subquery(organizations());
            manager.exec_stmt(Query::delete().from_table(log).and_where(theirs).to_owned()).await?;
        }
        for table in TABLES {
            manager
                .exec_stmt(Query::delete().from_table(table).and_where(deleted()).to_owned())
                .await?;
            manager.drop_index(Index::drop().name(index_of(table)).table(table).to_owned()).await?;
            let column = Table::alter().table(table).drop_column("deleted_at").to_owned();
            manager.alter_table(column).await?;
        }
        Ok(())
    }
}

/// Columns that refer to another row and are null in most.
const REFERRING: [(&str, &str); 2] =
    [("journal_entry", "reversed_by_id"), ("expense", "decided_by_member_id")];

fn referring() -> impl Iterator<Item = IndexCreateStatement> {
    REFERRING.into_iter().map(|(table, column)| {
        index(table, &[column]).and_where(Expr::col(column).is_not_null()).to_owned()
    })
}

fn index_of(table: &str) -> String {
    format!("idx-{table}-deleted_at")
}
