//! Consumers of the log, the events they have parked, the rules that users make, the thresholds that
//! were told, and the tags of expenses.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tags = Table::alter().table("expense").add_column(json_binary_null("tags")).take();
        manager.alter_table(tags).await?;
        for table in [
            consumer(),
            consumer_position(),
            parked_event(),
            budget_threshold(),
            rule(),
            expense_tag(),
        ] {
            manager.create_table(table).await?;
        }
        order_by_bytes(manager, "rule", &[("name_key", 300)]).await?;
        order_by_bytes(manager, "expense_tag", &[("tag_key", 150)]).await?;
        for index in [
            unique("parked_event", &["consumer", "event_id"]),
            // What a worker looks for, in all organizations: few, however many are parked.
            Index::create()
                .name("idx-parked_event-put_back_at")
                .table("parked_event")
                .col("put_back_at")
                .to_owned(),
            index("rule", &["name_key", "id"]),
            index("rule", &["category_id"]),
            index("expense_tag", &["tag_key", "expense_id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "expense_tag",
            "rule",
            "budget_threshold",
            "parked_event",
            "consumer_position",
            "consumer",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        manager.alter_table(Table::alter().table("expense").drop_column("tags").take()).await
    }
}

/// Which consumers there are, and since when.
fn consumer() -> TableCreateStatement {
    Table::create()
        .table("consumer")
        .col(string_len("consumer", 64).primary_key().take())
        .col(instant("started_at"))
        .take()
}

/// How far a consumer has got with an organization's log, how often the next event has failed, and
/// when it is tried again.
fn consumer_position() -> TableCreateStatement {
    keyed("consumer_position", [string_len("consumer", 64)])
        .col(big_integer("position"))
        .col(big_integer("attempts"))
        .col(instant_null("next_at"))
        .take()
}

/// The events that a consumer has given up on, until an operator puts them back.
fn parked_event() -> TableCreateStatement {
    owned_table("parked_event")
        .col(string_len("consumer", 64))
        .col(id("event_id"))
        .col(big_integer("position"))
        .col(string_len("kind", 64))
        .col(string_len("error", 500))
        .col(big_integer("attempts"))
        .col(instant("parked_at"))
        .col(instant_null("put_back_at"))
        .take()
}

/// Which thresholds of which budget were told in the period that begins on a day.
fn budget_threshold() -> TableCreateStatement {
    keyed("budget_threshold", [id("budget_id"), date("starts_on"), big_integer("percent")])
        .col(instant("told_at"))
        .foreign_key(
            reference("budget_threshold", "budget_id", "budget")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// `category_id` is the one that an action sets: a reference, so that the database refuses another
/// organization's, and the removal of one that a rule sets.
fn rule() -> TableCreateStatement {
    versioned(owned_table("rule"))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(boolean("enabled"))
        .col(string_len("kind", 64))
        .col(json_binary_null("condition"))
        .col(json_binary("actions"))
        .col(id_null("category_id"))
        .foreign_key(&mut reference("rule", "category_id", "category"))
        .take()
}

/// What expenses are found by, besides the tags that stand in their rows.
fn expense_tag() -> TableCreateStatement {
    keyed("expense_tag", [id("expense_id"), string_len("tag_key", 150)])
        .foreign_key(
            reference("expense_tag", "expense_id", "expense").on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
