//! What documents have attached counts as other files of an organization do.

use sea_orm_migration::prelude::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// SQLite takes ON CONFLICT after a query for a join, if that has no WHERE.
const COUNT: &str = r#"
    INSERT INTO "storage_usage" ("organization_id", "bytes")
    SELECT "organization_id", SUM(LENGTH("bytes")) FROM "document_blob" WHERE TRUE GROUP BY "organization_id"
    ON CONFLICT ("organization_id") DO UPDATE SET "bytes" = "storage_usage"."bytes" + "excluded"."bytes"
"#;

const UNCOUNT: &str = r#"
    UPDATE "storage_usage" SET "bytes" = "bytes" - (
        SELECT COALESCE(SUM(LENGTH("blob"."bytes")), 0) FROM "document_blob" AS "blob"
        WHERE "blob"."organization_id" = "storage_usage"."organization_id"
    )
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(COUNT).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(UNCOUNT).await.map(drop)
    }
}
