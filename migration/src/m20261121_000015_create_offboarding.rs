//! Sagas about more than expenses, what they have written that may have to be given back, and the
//! expenses that somebody was asked to look at.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename(manager, "expense_id", "subject_id").await?;
        manager.create_index(index("saga", &["subject_id"])).await?;
        for table in [saga_write(), large_expense()] {
            manager.create_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["large_expense", "saga_write"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        let index = Index::drop().name("idx-saga-subject_id").table("saga").to_owned();
        manager.drop_index(index).await?;
        rename(manager, "subject_id", "expense_id").await
    }
}

async fn rename(
    manager: &SchemaManager<'_>,
    from: &'static str,
    to: &'static str,
) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table("saga").rename_column(from, to).to_owned()).await
}

/// Which version of another resource a saga has left: undone is what is still so. Sagas stay, so that
/// nothing here loses its own.
fn saga_write() -> TableCreateStatement {
    keyed("saga_write", [id("saga_id"), string_len("entity", 16), id("entity_id")])
        .col(big_integer("entity_version"))
        .take()
}

/// The expenses about which a task was made. They are remembered when they are gone: what reads the log
/// again meets them again.
fn large_expense() -> TableCreateStatement {
    keyed("large_expense", [id("expense_id")]).col(id("task_id")).col(instant("told_at")).take()
}
