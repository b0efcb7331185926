//! A lease without an end: how long it lasts, each node measures for itself. And what the claims of
//! deliveries are found by that nobody does anything about.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let lease = Table::alter().table("lease").drop_column("expires_at").to_owned();
        manager.alter_table(lease).await?;
        // Of all organizations, and small, however many deliveries there are.
        let claims = Index::create()
            .name(CLAIMS)
            .table("webhook_delivery")
            .col("claimed_until")
            .and_where(Expr::col("claimed_until").is_not_null())
            .to_owned();
        manager.create_index(claims).await
    }

    /// Leases are taken anew: a column that must not be null cannot be added to rows that are there.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let claims = Index::drop().name(CLAIMS).table("webhook_delivery").to_owned();
        manager.drop_index(claims).await?;
        manager.exec_stmt(Query::delete().from_table("lease").to_owned()).await?;
        let mut expires_at = instant("expires_at");
        expires_at.default("1970-01-01 00:00:00+00:00");
        let lease = Table::alter().table("lease").add_column(expires_at).to_owned();
        manager.alter_table(lease).await
    }
}

const CLAIMS: &str = "idx-webhook_delivery-claimed_until";
