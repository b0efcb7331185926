//! What finds the expenses that are for no project, in the orders in which those of a project are found.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, order) in INDEXES {
            let mut index = index("expense", &["project_id", order, "id"]);
            let for_none = Expr::col("project_id").is_null();
            manager.create_index(index.name(name).and_where(for_none).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            manager.drop_index(Index::drop().name(name).table("expense").to_owned()).await?;
        }
        Ok(())
    }
}

const INDEXES: [(&str, &str); 2] = [
    ("idx-expense-no_project-spent_on-id", "spent_on"),
    ("idx-expense-no_project-created_at-id", "created_at"),
];
