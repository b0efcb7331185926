//! The answers that are given again to who sends the same `Idempotency-Key` again.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(idempotency_key()).await?;
        // What is dropped, whosever it is.
        let expired = Index::create()
            .name("idx-idempotency_key-expires_at")
            .table("idempotency_key")
            .col("expires_at")
            .to_owned();
        manager.create_index(expired).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("idempotency_key").to_owned()).await
    }
}

/// The id is made of the key and of who sent it. There is no answer only within the transaction that
/// makes it.
fn idempotency_key() -> TableCreateStatement {
    loose_table("idempotency_key")
        .col(text_null("answer"))
        .col(instant("created_at"))
        .col(instant("expires_at"))
        .take()
}
