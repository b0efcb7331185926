//! Daily reports of projects, with their crew and their items.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [daily_report(), daily_report_crew(), daily_report_item()] {
            manager.create_table(table).await?;
        }
        order_by_bytes(manager, "daily_report", &[("search_key", 15_000)]).await?;
        order_by_bytes(manager, "daily_report_item", &[("search_key", 3000)]).await?;
        for index in [
            // One for a project and a day.
            unique("daily_report", &["project_id", "day"]),
            index("daily_report", &["day", "id"]),
            index("daily_report", &["status", "day", "id"]),
            index("daily_report_crew", &["member_id"]),
            index("daily_report_item", &["kind", "daily_report_id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["daily_report_item", "daily_report_crew", "daily_report"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Who made, submitted, amended and decided it stays written where that member is gone.
fn daily_report() -> TableCreateStatement {
    versioned(owned_table("daily_report"))
        .col(id("project_id"))
        .col(date("day"))
        .col(word("status", &["draft", "submitted", "approved"]))
        .col(json_binary_null("weather"))
        .col(string_len_null("summary", 5000))
        .col(string_len("search_key", 15_000))
        .col(id_null("created_by_member_id"))
        .col(instant_null("submitted_at"))
        .col(id_null("submitted_by_member_id"))
        .col(instant_null("amended_at"))
        .col(id_null("amended_by_member_id"))
        .col(string_len_null("amendment_reason", 500))
        .col(instant_null("decided_at"))
        .col(id_null("decided_by_member_id"))
        .col(string_len_null("decision_note", 500))
        .foreign_key(&mut reference("daily_report", "project_id", "project"))
        .take()
}

/// A member, or so many of a trade.
fn daily_report_crew() -> TableCreateStatement {
    keyed("daily_report_crew", [id("daily_report_id"), big_integer("position")])
        .col(id_null("member_id"))
        .col(string_len_null("trade", 100))
        .col(big_integer("count"))
        .col(big_integer("seconds"))
        .foreign_key(
            reference("daily_report_crew", "daily_report_id", "daily_report")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(&mut reference("daily_report_crew", "member_id", "member"))
        .take()
}

fn daily_report_item() -> TableCreateStatement {
    keyed("daily_report_item", [id("daily_report_id"), big_integer("position")])
        .col(word("kind", &["work", "delay", "delivery", "safety", "visitor", "equipment"]))
        .col(string_len("text", 1000))
        .col(string_len("search_key", 3000))
        .col(big_integer_null("quantity_milli"))
        .col(string_len_null("unit", 20))
        .col(big_integer_null("minutes"))
        .foreign_key(
            reference("daily_report_item", "daily_report_id", "daily_report")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
