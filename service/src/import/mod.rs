//! Imports that are done in the background: how the rows of a file are brought in, and how far their saga is
//! (`automation::saga::import`). [`crate::csv`] reads the file.

mod commands;
pub(crate) mod history;
pub(crate) mod repository;
mod staging;
mod tally;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{cancel, finish, get, list};
pub(crate) use staging::{Staging, acting, sweep};
pub(crate) use tally::{Tally, Written};

use crate::{csv::RowError, input::AnyOf, saga, store::page::paged};

/// How many new rows an import writes before its response. One with more runs in the background.
pub(crate) const INLINE_ROWS: usize = 100;

/// How many rows a transaction of an import in the background writes. Others wait for the writer as long as these take,
/// or twice that; fewer rows write more pages each, since every row touches a page of every index.
pub(crate) const SLICE_ROWS: usize = 250;

/// The kind of the sagas that write the rows of large files.
pub(crate) const SAGA: &str = "import";

/// Type of the rows that an import creates.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = ImportKind)]
pub enum Kind {
    /// Expenses.
    Expenses,
    /// Time entries.
    TimeEntries,
}

/// Background import of a file. A saga of the same identifier writes the rows in transactions of up
/// to 250. It resumes after an interruption and deletes what it has written if it is cancelled or
/// cannot continue.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportRun {
    /// Unique identifier (UUID) of the import and of its saga, set by the server.
    pub id: Uuid,
    /// Type of the imported rows.
    pub kind: Kind,
    /// State of the import: `running`, `completed` when all rows are written, `compensating` while
    /// the written rows are being deleted, `compensated` after that, or `failed` if an
    /// administrator must intervene.
    pub state: saga::State,
    /// Reason why the import was rolled back or cannot continue; null if neither is the case.
    pub reason: Option<String>,
    /// Number of rows in the file.
    pub total: i64,
    /// Number of rows that are written so far. After a rollback: the number of those that remain,
    /// since somebody has changed them.
    pub created: i64,
    /// Number of rows that an earlier import had imported.
    pub duplicates: i64,
    /// Number of rows that an earlier import had imported and somebody has deleted since. They stay
    /// deleted unless `restore` is true.
    pub deleted_before: i64,
    /// Number of rows that were left out: not spending, or without duration.
    pub ignored: i64,
    /// Number of rows of money that came in, which are among the `ignored`. 0 for time entries.
    pub ignored_income: i64,
    /// Number of invalid rows.
    pub failed: i64,
    /// Why rows of the file were not imported, with the number of rows for each reason. Empty for time
    /// entries.
    #[schema(value_type = Vec<crate::csv::Reason>)]
    pub reasons: Value,
    /// Names of the columns that the import does not read. Empty for expenses.
    pub ignored_columns: Vec<String>,
    /// Number of categories that the import created.
    pub created_categories: i64,
    /// Number of projects that the import created.
    pub created_projects: i64,
    /// Number of tasks that the import created.
    pub created_tasks: i64,
    /// Number of members that the import created.
    pub created_members: i64,
    /// Errors of the invalid rows, at most 1000.
    #[schema(value_type = Vec<RowError>)]
    pub errors: Value,
    /// Time at which the import started (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last progress (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

/// Filter and page of a list of imports, newest first.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportRunQuery {
    /// Return imports of one of these kinds.
    #[param(value_type = Option<Vec<Kind>>, inline)]
    pub kind: Option<AnyOf<Kind>>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(ImportRunQuery);

/// What has become of a file.
#[derive(Debug, Clone)]
pub enum Imported<R> {
    /// It is imported: this was done.
    Done(R),
    /// It is being imported.
    Begun(Box<ImportRun>),
}
