//! Projects, tasks, and time: entries, the days that they lie in, and timecards.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 8] = [
    "project",
    "task",
    "task_tag",
    "task_turn",
    "timecard",
    "time_entry",
    "time_entry_tag",
    "time_entry_day",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            project(),
            task(),
            task_tag(),
            task_turn(),
            timecard(),
            time_entry(),
            time_entry_tag(),
            time_entry_day(),
        ] {
            manager.create_table(table).await?;
        }
        order_by_bytes(
            manager,
            "project",
            &[("name_key", 300), ("job_number_key", 150), ("search_key", 2500)],
        )
        .await?;
        order_by_bytes(manager, "task", &[("due_key", 20), ("search_key", 16_000)]).await?;
        order_by_bytes(manager, "task_tag", &[("tag_key", 150), ("due_key", 20)]).await?;
        order_by_bytes(manager, "time_entry", &[("search_key", 16_000), ("import_key", 64)])
            .await?;
        order_by_bytes(manager, "time_entry_tag", &[("tag_key", 150)]).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let overlap = boolean("overlap_allowed").default(false).take();
        manager
            .alter_table(Table::alter().table("organization").add_column(overlap).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter().table("organization").drop_column("overlap_allowed").to_owned(),
            )
            .await?;
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn indexes() -> Vec<IndexCreateStatement> {
    let spent = ["member_id", "project_id", "task_id", "timecard_id", "billable", "seconds"];
    vec![
        unique("project", &["job_number_key"]),
        index("project", &["name_key", "id"]),
        index("project", &["status", "name_key", "id"]),
        // Each way in which tasks are asked for, in the order in which they are due.
        index("task", &["due_key", "id"]),
        index("task", &["assignee_member_id", "due_key", "id"]),
        index("task", &["project_id", "open", "due_key", "id"]),
        index("task", &["open", "due_key", "id"]),
        index("task", &["pressing", "due_key", "id"]),
        index("task_tag", &["tag_key", "due_key", "task_id"]),
        // What has been finished has one next.
        unique("task", &["previous_task_id"]),
        index("task_turn", &["member_id"]),
        unique("timecard", &["member_id", "week_starts_on"]),
        index("timecard", &["week_starts_on", "id"]),
        index("timecard", &["status", "week_starts_on", "id"]),
        // One running timer a member.
        unique("time_entry", &["running_member_id"]),
        index("time_entry", &["started_at", "id"]),
        index("time_entry", &["updated_at", "id"]),
        index("time_entry", &["member_id", "started_at", "id"]),
        index("time_entry", &["project_id", "started_at", "id"]),
        index("time_entry", &["task_id", "started_at", "id"]),
        index("time_entry", &["billable", "started_at", "id"]),
        index("time_entry", &["import_key"]),
        index("time_entry_tag", &["tag_key", "time_entry_id"]),
        index("time_entry_day", &["timecard_id", "day"]),
        // Each holds all that the reports read.
        covering("day", &[&["day"], &spent[..]].concat()),
        covering("member", &[&["member_id", "day"], &spent[1..]].concat()),
        covering("project", &[&["project_id", "day", "member_id"], &spent[2..]].concat()),
    ]
}

fn covering(by: &str, columns: &[&'static str]) -> IndexCreateStatement {
    index("time_entry_day", columns).name(format!("idx-time_entry_day-by_{by}")).to_owned()
}

/// A place is kept in ten-millionths of a degree, a centimetre: there are no fractions here.
fn project() -> TableCreateStatement {
    versioned(owned_table("project"))
        .col(string_len_null("job_number", 50))
        .col(string_len_null("job_number_key", 150))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(string_len_null("client", 200))
        .col(word("status", &["planned", "active", "on_hold", "completed", "archived"]))
        .col(date_null("starts_on"))
        .col(date_null("ends_on"))
        .col(big_integer_null("budget_minor"))
        .col(currency())
        .col(string_len_null("address", 500))
        .col(big_integer_null("latitude_e7"))
        .col(big_integer_null("longitude_e7"))
        .col(string_len_null("note", 5000))
        .col(json_binary_null("details"))
        .col(string_len("search_key", 2500))
        .take()
}

/// `due_key` is when it is due as the clock on the wall says it, for sorting: `open` is whether it is still to
/// be done, and `pressing` whether its priority is high or urgent, for lists of those alone.
fn task() -> TableCreateStatement {
    versioned(owned_table("task"))
        .col(string_len("title", 200))
        .col(string_len_null("note", 5000))
        .col(word("status", &["pending", "in_progress", "done", "cancelled"]))
        .col(boolean("open"))
        .col(word("priority", &["low", "medium", "high", "urgent"]))
        .col(boolean("pressing"))
        .col(date_null("due_on"))
        .col(instant_null("due_at"))
        .col(string_len("due_key", 20))
        .col(id_null("assignee_member_id"))
        .col(string_len_null("assignee_role", 16))
        .col(id_null("project_id"))
        .col(big_integer_null("estimate_minutes"))
        .col(json_binary_null("tags"))
        .col(json_binary_null("metadata"))
        .col(string_len_null("recurrence", 500))
        .col(string_len_null("recurs_from", 200))
        .col(json_binary_null("turns"))
        .col(id_null("previous_task_id"))
        .col(id_null("next_task_id"))
        .col(instant_null("finished_at"))
        .col(string_len("search_key", 16_000))
        .foreign_key(&mut reference("task", "assignee_member_id", "member"))
        .foreign_key(&mut reference("task", "project_id", "project"))
        .take()
}

fn task_tag() -> TableCreateStatement {
    keyed("task_tag", [id("task_id"), string_len("tag_key", 150)])
        .col(string_len("due_key", 20))
        .foreign_key(reference("task_tag", "task_id", "task").on_delete(ForeignKeyAction::Cascade))
        .take()
}

/// Who takes turns at a task. How often each has had theirs stands in the task, in the order of turns.
fn task_turn() -> TableCreateStatement {
    keyed("task_turn", [id("task_id"), id("member_id")])
        .foreign_key(reference("task_turn", "task_id", "task").on_delete(ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("task_turn", "member_id", "member"))
        .take()
}

fn timecard() -> TableCreateStatement {
    versioned(owned_table("timecard"))
        .col(id("member_id"))
        .col(date("week_starts_on"))
        .col(word("status", &["open", "submitted", "approved", "rejected"]))
        .col(instant_null("submitted_at"))
        .col(instant_null("decided_at"))
        .col(id_null("decided_by_member_id"))
        .col(string_len_null("decision_note", 500))
        .foreign_key(&mut reference("timecard", "member_id", "member"))
        .take()
}

/// `started_at` of one that is not `timed`, but a day and minutes, is where that day begins. One that
/// is timed and has not ended is running, and names its member a second time, uniquely.
fn time_entry() -> TableCreateStatement {
    versioned(owned_table("time_entry"))
        .col(id("member_id"))
        .col(id_null("project_id"))
        .col(id_null("task_id"))
        .col(boolean("timed"))
        .col(instant("started_at"))
        .col(instant_null("ended_at"))
        .col(date("day"))
        .col(big_integer("seconds"))
        .col(json_binary_null("breaks"))
        .col(boolean("billable"))
        .col(string_len_null("cost_code", 50))
        .col(string_len_null("note", 5000))
        .col(json_binary_null("tags"))
        .col(string_len("search_key", 16_000))
        .col(id_null("running_member_id"))
        .col(string_len_null("import_key", 64))
        .foreign_key(&mut reference("time_entry", "member_id", "member"))
        .foreign_key(&mut reference("time_entry", "project_id", "project"))
        .foreign_key(&mut reference("time_entry", "task_id", "task"))
        .take()
}

fn time_entry_tag() -> TableCreateStatement {
    keyed("time_entry_tag", [id("time_entry_id"), string_len("tag_key", 150)])
        .foreign_key(
            reference("time_entry_tag", "time_entry_id", "time_entry")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// What of an entry lies in one day of the organization, and so in one week: each second of it once.
/// What reports group by stands here a second time.
fn time_entry_day() -> TableCreateStatement {
    keyed("time_entry_day", [id("time_entry_id"), date("day")])
        .col(id("timecard_id"))
        .col(id("member_id"))
        .col(id_null("project_id"))
        .col(id_null("task_id"))
        .col(boolean("billable"))
        .col(big_integer("seconds"))
        .foreign_key(
            reference("time_entry_day", "time_entry_id", "time_entry")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(&mut reference("time_entry_day", "timecard_id", "timecard"))
        .take()
}
