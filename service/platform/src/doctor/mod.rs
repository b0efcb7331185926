//! What is wrong with the database, and what an operator can do about it: `steward doctor` and
//! `GET /v1/operations/database`.
//!
//! Each check asks the database about itself, in a transaction that only reads ([`Store`]'s `inspect`), and gives
//! findings. A check that is refused does not end the others: the report says what could not be seen, and why.
//! Statements are shown by their fingerprints, without values ([`Fingerprint`]).

mod postgres;
mod process;
mod report;
mod sqlite;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

pub use report::{Finding, Invisible, Measurement, Severity, Statement};

use crate::{
    error::Result,
    store::{Engine, Store, fingerprint::Fingerprint},
};

/// What is examined besides the usual.
#[derive(Debug, Clone, Copy)]
pub struct Examination {
    /// Whether SQLite reads all of its file, to check that it is sound and to measure each table.
    pub check: bool,
    /// Whether this process is the one that serves, so that its pools and slow statements are of interest.
    pub serves: bool,
    /// From when on a transaction, or a statement, is one that takes too long.
    pub long_transaction: Duration,
}

impl Default for Examination {
    fn default() -> Self {
        Self { check: false, serves: false, long_transaction: Duration::from_secs(60) }
    }
}

/// What an examination of the database has found.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DatabaseReport, examples(Self::example))]
pub struct Report {
    /// Most severe of the severities of the findings.
    pub severity: Severity,
    /// Database engine: `sqlite` or `postgresql`.
    pub engine: &'static str,
    /// Version of the database.
    pub engine_version: String,
    /// When the database was examined.
    pub examined_at: DateTime<Utc>,
    /// Findings, the most severe first.
    pub findings: Vec<Finding>,
    /// Statements that took the longest time in total, without their values.
    pub statements: Vec<Statement>,
    /// What could not be seen, such as for lack of privileges.
    pub not_visible: Vec<Invisible>,
}

/// Examines the database.
///
/// # Errors
/// Where it does not answer.
pub async fn examine(store: &Store, examination: Examination) -> Result<Report> {
    let mut notes = report::Notes::default();
    let engine_version = match store.engine() {
        Engine::Sqlite => sqlite::examine(store, examination, &mut notes).await?,
        Engine::Postgres => postgres::examine(store, examination, &mut notes).await?,
    };
    if examination.serves {
        process::examine(store, examination, &mut notes);
    } else {
        notes.hide("process", "pools and slow statements are those of the server: ask it");
    }
    let report::Notes { mut findings, statements, not_visible } = notes;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(Report {
        severity: findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok),
        engine: store.engine().as_str(),
        engine_version,
        examined_at: store.now(),
        findings,
        statements,
        not_visible,
    })
}
