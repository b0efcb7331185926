//! Where an expense was made: in degrees, and as a point in space, by which what is near is found.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 5] = ["latitude_e7", "longitude_e7", "x_cm", "y_cm", "z_cm"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            let column = big_integer_null(column);
            manager
                .alter_table(Table::alter().table("expense").add_column(column).to_owned())
                .await?;
        }
        manager.create_index(index("expense", &["x_cm", "y_cm", "z_cm"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("idx-expense-x_cm-y_cm-z_cm").table("expense").to_owned();
        manager.drop_index(index).await?;
        for column in COLUMNS {
            let table = Table::alter().table("expense").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
