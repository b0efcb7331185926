//! The index of positions holds those that were given, and no longer a row for each event that waits for one:
//! the database then finds what waits by `idx-event-pending`, where there is little.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_positions(manager).await?;
        let given = positions().and_where(Expr::col("position").is_not_null()).to_owned();
        manager.create_index(given).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_positions(manager).await?;
        manager.create_index(positions()).await
    }
}

fn positions() -> IndexCreateStatement {
    unique("event", &["position"])
}

async fn drop_positions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let name = positions().get_index_spec().get_name().map(str::to_owned);
    let drop = Index::drop().name(name.unwrap_or_default()).table("event").to_owned();
    manager.drop_index(drop).await
}
