//! Incidents, and a place for what of the log is sealed.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(incident()).await?;
        for index in [
            unique("incident", &["case_number"]),
            index("incident", &["occurred_at", "id"]),
            index("incident", &["member_id", "occurred_at", "id"]),
            index("incident", &["project_id", "occurred_at", "id"]),
            index("incident", &["status", "occurred_at", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        let sealed = text_null("sealed");
        manager.alter_table(Table::alter().table("event").add_column(sealed).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("event").drop_column("sealed").to_owned()).await?;
        manager.drop_table(Table::drop().table("incident").to_owned()).await
    }
}

/// What happened to the body, how, and who saw it is sealed. `case_number` counts the incidents of the
/// organization: what the log of the year calls them by.
fn incident() -> TableCreateStatement {
    versioned(owned_table("incident"))
        .col(big_integer("case_number"))
        .col(id("member_id"))
        .col(id_null("project_id"))
        .col(instant("occurred_at"))
        .col(string_len_null("place", 500))
        .col(string_len_null("job_title", 200))
        .col(word("status", &["reported", "open", "closed"]))
        .col(boolean("recordable"))
        .col(string_len_null("classification", 16))
        .col(string_len_null("injury_type", 16))
        .col(boolean("privacy_case"))
        .col(big_integer("days_away"))
        .col(big_integer("days_restricted"))
        .col(string_len_null("claim_number", 100))
        .col(string_len_null("insurer", 200))
        .col(text_null("body_part"))
        .col(text_null("nature"))
        .col(text_null("cause"))
        .col(text_null("treatment"))
        .col(text_null("narrative"))
        .col(text_null("witnesses"))
        .foreign_key(&mut reference("incident", "member_id", "member"))
        .foreign_key(&mut reference("incident", "project_id", "project"))
        .take()
}
