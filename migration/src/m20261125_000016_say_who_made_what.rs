//! Who has made invitations and API keys, and who has recorded, changed and submitted what takes a decision.
//!
//! SQLite adds no column that refers to another table by several columns, so the database does not check these:
//! whoever is named may be gone, as in the log. For rows that are there already, as far as anything still depends on
//! it, the log says who it was.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: &[(&str, &str)] = &[
    ("invitation", "created_by_member_id"),
    ("invitation", "created_by_api_key_id"),
    ("invitation", "accepted_by_member_id"),
    ("api_key", "created_by_api_key_id"),
    ("expense", "created_by_member_id"),
    ("expense", "changed_by_member_id"),
    ("expense", "submitted_by_member_id"),
    ("time_entry", "created_by_member_id"),
    ("time_entry", "changed_by_member_id"),
    ("timecard", "submitted_by_member_id"),
    ("daily_report", "changed_by_member_id"),
];

/// What ends with a member, or with an API key.
const INDEXES: &[(&str, &str)] = &[
    ("invitation", "created_by_member_id"),
    ("invitation", "created_by_api_key_id"),
    ("api_key", "created_by_api_key_id"),
    ("api_key", "member_id"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in COLUMNS {
            let column = id_null(column);
            manager.alter_table(Table::alter().table(*table).add_column(column).to_owned()).await?;
        }
        for (table, column) in INDEXES {
            manager.create_index(index(table, &[column])).await?;
        }
        for statement in from_the_log() {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in INDEXES {
            let name = format!("idx-{table}-{column}");
            manager.drop_index(Index::drop().name(name).table(*table).to_owned()).await?;
        }
        for (table, column) in COLUMNS {
            let table = Table::alter().table(*table).drop_column(*column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}

/// A member in person, or whom an API key acts for that is still there.
const MEMBER: &str = r#"CASE e."author" WHEN 'member' THEN e."author_id" WHEN 'api_key' THEN
    (SELECT k."member_id" FROM "api_key" k
     WHERE k."organization_id" = e."organization_id" AND k."id" = e."author_id") END"#;

const API_KEY: &str = r#"CASE e."author" WHEN 'api_key' THEN e."author_id" END"#;

/// What is not decided yet, or may be undecided again.
const OPEN_EXPENSES: &str = r#""status" IN ('draft', 'submitted', 'rejected')"#;

const OPEN_TIME: &str = r#"EXISTS (SELECT 1 FROM "time_entry_day" d JOIN "timecard" t
    ON t."organization_id" = d."organization_id" AND t."id" = d."timecard_id"
    WHERE d."organization_id" = "time_entry"."organization_id"
    AND d."time_entry_id" = "time_entry"."id" AND t."status" <> 'approved')"#;

fn from_the_log() -> [String; 10] {
    const CREATED: &str = "created";
    [
        by("invitation", "created_by_member_id", MEMBER, &[CREATED], r#""accepted_at" IS NULL"#),
        by("invitation", "created_by_api_key_id", API_KEY, &[CREATED], r#""accepted_at" IS NULL"#),
        by("api_key", "created_by_api_key_id", API_KEY, &[CREATED], "1 = 1"),
        by("expense", "created_by_member_id", MEMBER, &[CREATED], OPEN_EXPENSES),
        by("expense", "changed_by_member_id", MEMBER, &["changed", "reverted"], OPEN_EXPENSES),
        by("expense", "submitted_by_member_id", MEMBER, &["submitted"], OPEN_EXPENSES),
        by("time_entry", "created_by_member_id", MEMBER, &[CREATED], OPEN_TIME),
        by(
            "time_entry",
            "changed_by_member_id",
            MEMBER,
            &["changed", "reverted", "stopped"],
            OPEN_TIME,
        ),
        by(
            "timecard",
            "submitted_by_member_id",
            MEMBER,
            &["submitted"],
            r#""status" = 'submitted'"#,
        ),
        by(
            "daily_report",
            "changed_by_member_id",
            MEMBER,
            &["changed", "reverted", "amended"],
            r#""status" <> 'approved'"#,
        ),
    ]
}

/// Who has done the last of these to each row, as the log has it.
fn by(table: &str, column: &str, who: &str, verbs: &[&str], which: &str) -> String {
    let kinds: Vec<_> = verbs.iter().map(|verb| format!("'{table}.{verb}'")).collect();
    let kinds = kinds.join(", ");
    format!(
        r#"UPDATE "{table}" SET "{column}" = (SELECT {who} FROM "event" e
            WHERE e."organization_id" = "{table}"."organization_id"
            AND e."entity_id" = "{table}"."id" AND e."entity" = '{table}' AND e."kind" IN ({kinds})
            ORDER BY e."entity_version" DESC LIMIT 1) WHERE {which}"#
    )
}
