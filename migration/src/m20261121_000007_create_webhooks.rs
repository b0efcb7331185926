//! Webhooks: endpoints, what is delivered to them, and every attempt.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [webhook(), webhook_progress(), webhook_delivery(), webhook_attempt()] {
            manager.create_table(table).await?;
        }
        for index in [
            index("webhook", &["created_at", "id"]),
            index("webhook_delivery", &["webhook_id", "created_at", "id"]),
            index("webhook_delivery", &["webhook_id", "state", "created_at", "id"]),
            // What the sender looks for. Not partial: SQLite would not use such an index for a state
            // that is bound.
            index("webhook_delivery", &["webhook_id", "state", "position", "id"]),
            index("webhook_delivery", &["webhook_id", "entity_id", "state", "position"]),
            index("webhook_attempt", &["delivery_id", "started_at", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["webhook_attempt", "webhook_delivery", "webhook_progress", "webhook"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Secrets are sealed. The previous one signs too until its time is over.
fn webhook() -> TableCreateStatement {
    versioned(owned_table("webhook"))
        .col(string_len("url", 2000))
        .col(json_binary("kinds"))
        .col(string_len_null("description", 500))
        .col(boolean("enabled"))
        .col(string_len_null("disabled_reason", 16))
        .col(text("secret"))
        .col(text_null("previous_secret"))
        .col(instant_null("previous_secret_until"))
        .take()
}

/// How far each webhook has come in the log, and how its endpoint does: what changes without anybody
/// changing the webhook. The id is the webhook's.
fn webhook_progress() -> TableCreateStatement {
    owned_table("webhook_progress")
        .col(big_integer("position"))
        .col(instant_null("failing_since"))
        .col(instant_null("resumes_at"))
        .foreign_key(
            reference("webhook_progress", "id", "webhook").on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// An event for a webhook, or a test, which is of no event. `tries` counts since it was last sent on
/// request; `claimed_until` is set while somebody sends it.
fn webhook_delivery() -> TableCreateStatement {
    owned_table("webhook_delivery")
        .col(id("webhook_id"))
        .col(id_null("event_id"))
        .col(string_len("kind", 64))
        .col(id("entity_id"))
        .col(big_integer("position"))
        .col(word("state", &["pending", "delivered", "failed"]))
        .col(big_integer("attempt_count"))
        .col(big_integer("tries"))
        .col(instant("next_at"))
        .col(instant_null("claimed_until"))
        .col(instant("created_at"))
        .col(instant_null("ended_at"))
        .foreign_key(
            reference("webhook_delivery", "webhook_id", "webhook")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

fn webhook_attempt() -> TableCreateStatement {
    owned_table("webhook_attempt")
        .col(id("delivery_id"))
        .col(instant("started_at"))
        .col(big_integer("duration_ms"))
        .col(big_integer_null("status"))
        .col(string_len_null("error", 32))
        .col(string_len_null("response", 500))
        .foreign_key(
            reference("webhook_attempt", "delivery_id", "webhook_delivery")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
