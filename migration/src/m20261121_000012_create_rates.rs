//! What an hour of a member costs, and since when.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(rate()).await?;
        manager.create_index(unique("rate", &["member_id", "starts_on"])).await?;
        manager.create_index(index("rate", &["starts_on", "id"])).await?;
        // What members cost so far, they have cost from the beginning. One a member, so its id serves.
        manager
            .get_connection()
            .execute_unprepared(
                r#"INSERT INTO "rate" ("organization_id", "id", "version", "created_at",
                    "updated_at", "member_id", "starts_on", "hourly_rate_minor")
                SELECT "organization_id", "id", 1, "updated_at", "updated_at", "id", '1970-01-01',
                    "hourly_rate_minor"
                FROM "member" WHERE "hourly_rate_minor" IS NOT NULL"#,
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("rate").to_owned()).await
    }
}

/// One without an amount says that the member has no rate from that day on.
fn rate() -> TableCreateStatement {
    versioned(owned_table("rate"))
        .col(id("member_id"))
        .col(date("starts_on"))
        .col(big_integer_null("hourly_rate_minor"))
        .foreign_key(&mut reference("rate", "member_id", "member"))
        .take()
}
