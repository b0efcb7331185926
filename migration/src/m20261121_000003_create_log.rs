//! The log of all that happens, and the leases of those who work on it.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [event(), event_head(), lease()] {
            manager.create_table(table).await?;
        }
        for index in [
            unique("event", &["position"]),
            index("event", &["entity_id", "entity", "entity_version"])
                .name("idx-event-history")
                .to_owned(),
            // What the sequencer looks for: small, however long the log.
            index("event", &["at"])
                .name("idx-event-pending")
                .and_where(Expr::col("position").is_null())
                .to_owned(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["lease", "event_head", "event"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// The position and the chain of hashes are the sequencer's, who comes later; all else is there from the
/// beginning and stays. `ordinal` is the order within a transaction.
fn event() -> TableCreateStatement {
    loose_table("event")
        .col(instant("at"))
        .col(big_integer("ordinal"))
        .col(string_len("kind", 64))
        .col(string_len("entity", 32))
        .col(id("entity_id"))
        .col(big_integer("entity_version"))
        .col(word("effect", &["written", "removed", "none"]))
        .col(word("author", &["user", "member", "api_key", "operator", "system", "rule"]))
        .col(id_null("author_id"))
        .col(id_null("request_id"))
        .col(json_binary_null("data"))
        .col(hash("data_digest"))
        .col(big_integer_null("position"))
        .col(string_len_null("previous_chain", 64))
        .col(string_len_null("chain", 64))
        .take()
}

/// Where each organization's log ends.
fn event_head() -> TableCreateStatement {
    Table::create()
        .table("event_head")
        .col(pk_uuid("organization_id"))
        .col(big_integer("position"))
        .col(hash("chain"))
        .take()
}

/// Who of several nodes does a piece of work, and until when. `term` counts every renewal.
fn lease() -> TableCreateStatement {
    Table::create()
        .table("lease")
        .col(string_len("work", 64).primary_key().take())
        .col(id("holder"))
        .col(big_integer("term"))
        .col(instant("expires_at"))
        .take()
}
