//! Rows read by position.
//!
//! SeaORM reads each column by its name, and makes an error of every NULL, with a text, before it
//! makes a None of that: on a page of rows more than the database takes for them
//! (docs/benchmarks.md). The lists below are checked against the entities by the compiler, which
//! misses no field, and by a test, which minds their order. After the semicolon stand the columns
//! that are not read.

use std::sync::Arc;

use sea_orm::{
    DbErr, EntityTrait, IdenStatic, Iterable, QueryResult, RuntimeErr,
    sqlx::{self, Decode, Postgres, Row, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow},
};

use crate::tables::{
    account, account_balance, api_key, budget, category, daily_report, event, expense,
    expense_item, idempotency_key, import, incident, invitation, journal_entry, member,
    organization, parked_event, project, rate, rule, saga, session, task, time_entry, timecard,
    transfer, user, webhook, webhook_attempt, webhook_delivery, webhook_progress,
};

/// A table whose rows can be read by position.
pub trait OrderedColumns: EntityTrait {
    /// The columns that are read, in order. Not among them are those that are written for the
    /// database alone, to search in and to hold apart: in a model they have no value.
    fn columns() -> Vec<Self::Column>;

    /// A row of these columns.
    ///
    /// # Errors
    /// Where a value is not of its column's type.
    fn read(row: &QueryResult) -> Result<Self::Model, DbErr>;
}

/// A row, and which of its columns comes next.
struct RowDecoder<'r> {
    row: Driver<'r>,
    next: usize,
}

enum Driver<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl<'r> RowDecoder<'r> {
    fn of(row: &'r QueryResult) -> Result<Self, DbErr> {
        let sqlite = row.try_as_sqlite_row().map(Driver::Sqlite);
        let row = sqlite.or_else(|| row.try_as_pg_row().map(Driver::Postgres));
        let row = row.ok_or_else(|| DbErr::Type("a row of an unknown database".into()))?;
        Ok(Self { row, next: 0 })
    }

    fn next<T>(&mut self) -> Result<T, DbErr>
    where
        T: Type<Sqlite> + Decode<'r, Sqlite> + Type<Postgres> + Decode<'r, Postgres>,
    {
        let position = self.next;
        self.next += 1;
        let value = match self.row {
            Driver::Sqlite(row) => row.try_get(position),
            Driver::Postgres(row) => row.try_get(position),
        };
        value.map_err(|error: sqlx::Error| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))
    }
}

macro_rules! ordered_columns {
    ($($table:ident { $($field:ident),* $(,)? $(; $($unread:ident),*)? })*) => {
        $(
            impl OrderedColumns for $table::Entity {
                fn columns() -> Vec<$table::Column> {
                    let unread: &[&str] = &[$($(stringify!($unread)),*)?];
                    let columns = $table::Column::iter();
                    columns.filter(|column| !unread.contains(&column.as_str())).collect()
                }

                fn read(row: &QueryResult) -> Result<$table::Model, DbErr> {
                    let mut decoder = RowDecoder::of(row)?;
                    Ok($table::Model {
                        $($field: decoder.next()?,)*
                        $($($unread: Default::default(),)*)?
                    })
                }
            }
        )*

        #[cfg(test)]
        mod tests {
            use super::*;

            $(
                #[test]
                fn $table() {
                    let columns = <$table::Entity as OrderedColumns>::columns();
                    let columns: Vec<_> = columns.iter().map(|column| column.as_str()).collect();
                    assert_eq!([$(stringify!($field)),*], columns[..]);
                }
            )*
        }
    };
}

ordered_columns! {
    account {
        organization_id, id, version, created_at, updated_at, name, name_key, kind, currency,
        may_go_below_zero, closed, purpose,
    }
    account_balance {
        organization_id, id, debits_minor, credits_minor,
    }
    api_key {
        organization_id, id, version, created_at, updated_at, member_id, name, role, token_hash,
        expires_at, created_by_api_key_id,
    }
    budget {
        organization_id, id, version, created_at, updated_at, name, name_key, category_id,
        period, amount_minor, currency, starts_on, ends_on,
    }
    category {
        organization_id, id, version, created_at, updated_at, name, name_key, kind, parent_id,
        sibling_key,
    }
    daily_report {
        organization_id, id, version, created_at, updated_at, project_id, day, status, weather,
        summary, created_by_member_id, submitted_at, submitted_by_member_id, amended_at,
        amended_by_member_id, amendment_reason, decided_at, decided_by_member_id, decision_note,
        changed_by_member_id; search_key
    }
    event {
        organization_id, id, at, ordinal, kind, entity, entity_id, entity_version, effect, author,
        author_id, request_id, data, data_digest, position, previous_chain, chain,
        sealed,
    }
    expense {
        organization_id, id, version, created_at, updated_at, member_id, category_id, kind,
        status, spent_on, amount_minor, currency, merchant, merchant_key, payment_method, note,
        place, details, item_count, submitted_at, decided_at, decided_by_member_id,
        decision_note, reimbursed_at, tags, payout_saga_id, payout_error,
        project_id, created_by_member_id, changed_by_member_id, submitted_by_member_id;
        search_key, import_key
    }
    expense_item {
        organization_id, id, expense_id, position, name, quantity_milli, unit, amount_minor,
        category_id, project_id,
    }
    idempotency_key { organization_id, id, answer, created_at, expires_at }
    import {
        organization_id, id, created_at, updated_at, kind, staging_until, options, slices,
        next_slice, total, created, duplicates, ignored, failed, created_categories,
        created_projects, created_tasks, created_members, errors,
    }
    incident {
        organization_id, id, version, created_at, updated_at, case_number, member_id, project_id,
        occurred_at, place, job_title, status, recordable, classification, injury_type,
        privacy_case, days_away, days_restricted, claim_number, insurer, body_part, nature, cause,
        treatment, narrative, witnesses,
    }
    invitation {
        organization_id, id, version, created_at, updated_at, email, role, member_id, token_hash,
        expires_at, accepted_at, created_by_member_id, created_by_api_key_id,
        accepted_by_member_id,
    }
    journal_entry {
        organization_id, id, version, created_at, updated_at, occurred_on, memo, reference,
        reverses_id, reversed_by_id,
    }
    member {
        organization_id, id, version, created_at, updated_at, user_id, name, name_key, role,
        active, hourly_rate_minor, external_ref,
    }
    organization {
        id, version, created_at, updated_at, kind, name, currency, time_zone, approval_required,
        large_expense_minor, payout_url, overlap_allowed; deleted_at
    }
    saga {
        organization_id, id, version, created_at, updated_at, kind, state, step, undoing, due_at,
        subject_id, steps, data, reason,
    }
    parked_event {
        organization_id, id, consumer, event_id, position, kind, error, attempts, parked_at,
        put_back_at,
    }
    project {
        organization_id, id, version, created_at, updated_at, job_number, name, name_key, client,
        status, starts_on, ends_on, budget_minor, currency, address, latitude_e7, longitude_e7,
        note, details; job_number_key, search_key
    }
    rate {
        organization_id, id, version, created_at, updated_at, member_id, starts_on,
        hourly_rate_minor,
    }
    rule {
        organization_id, id, version, created_at, updated_at, name, name_key, enabled, kind,
        condition, actions, category_id,
    }
    session {
        id, user_id, token_hash, user_agent, created_at, expires_at,
    }
    task {
        organization_id, id, version, created_at, updated_at, title, note, status, open, priority,
        pressing, due_on, due_at, due_key, assignee_member_id, assignee_role, project_id,
        estimate_minutes, tags, metadata, recurrence, recurs_from, turns, previous_task_id,
        next_task_id, finished_at; search_key
    }
    time_entry {
        organization_id, id, version, created_at, updated_at, member_id, project_id, task_id, timed,
        started_at, ended_at, day, seconds, breaks, billable, cost_code, note, tags,
        running_member_id, created_by_member_id, changed_by_member_id; search_key, import_key
    }
    timecard {
        organization_id, id, version, created_at, updated_at, member_id, week_starts_on, status,
        submitted_at, decided_at, decided_by_member_id, decision_note, submitted_by_member_id,
    }
    transfer {
        organization_id, id, entry_id, position, debit_account_id, credit_account_id, amount_minor,
        currency,
    }
    user {
        id, version, created_at, updated_at, email, email_key, display_name, password_hash,
        disabled_at,
    }
    webhook {
        organization_id, id, version, created_at, updated_at, url, kinds, description, enabled,
        disabled_reason, secret, previous_secret, previous_secret_until; deleted_at
    }
    webhook_attempt {
        organization_id, id, delivery_id, started_at, duration_ms, status, error, response,
    }
    webhook_delivery {
        organization_id, id, webhook_id, event_id, kind, entity_id, position, state,
        attempt_count, tries, next_at, claimed_until, created_at, ended_at,
    }
    webhook_progress {
        organization_id, id, position, failing_since, resumes_at,
    }
}
