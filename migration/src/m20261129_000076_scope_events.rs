//! Events of what belongs to a scope, such as a document to a collection, say to which (docs/decisions/0038).

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = id_null("scope_id");
        manager.alter_table(Table::alter().table("event").add_column(column).to_owned()).await?;
        // What happens in a scope, in its order. Nothing is written for what is in none.
        let in_scope = index("event", &["scope_id", "position"])
            .name(SCOPE)
            .and_where(Expr::col("scope_id").is_not_null())
            .to_owned();
        manager.create_index(in_scope).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(SCOPE).table("event").to_owned()).await?;
        let column = Table::alter().table("event").drop_column("scope_id").to_owned();
        manager.alter_table(column).await
    }
}

const SCOPE: &str = "idx-event-scope";
