//! What a report consists of.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Fingerprint, Report};
use crate::{error::Result, store::slow::SlowStatement};

/// How many findings of a check are told, the worst first.
pub(super) const MAX_FINDINGS: usize = 20;
/// How many statements are told, of each source.
pub(super) const MAX_STATEMENTS: usize = 10;

/// Severity of a finding.
///
/// - `ok`: Nothing to do.
/// - `warning`: Needs attention before it becomes a problem.
/// - `critical`: A problem now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FindingSeverity)]
pub enum Severity {
    /// Nothing to do.
    Ok,
    /// Needs attention before it becomes a problem.
    Warning,
    /// A problem now.
    Critical,
}

impl Severity {
    /// That of a figure of which more is worse.
    pub(super) fn of(figure: f64, warning: f64, critical: f64) -> Self {
        match figure {
            it if it >= critical => Self::Critical,
            it if it >= warning => Self::Warning,
            _ => Self::Ok,
        }
    }

    /// A warning, if so.
    pub(super) fn warning_if(is_so: bool) -> Self {
        if is_so { Self::Warning } else { Self::Ok }
    }
}

/// Finding of an examination of the database.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DatabaseFinding)]
pub struct Finding {
    /// Name of the check: `lock_waits`, `vacuum`, …
    pub check: &'static str,
    /// Severity.
    pub severity: Severity,
    /// Table, index, session or other object that the finding is about. Absent if it is about the whole database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was found, in a sentence.
    pub summary: String,
    /// Figures that were measured.
    pub measurements: Vec<Measurement>,
    /// What to do about it. Absent if there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn new(check: &'static str, severity: Severity, summary: String) -> Self {
        Self { check, severity, subject: None, summary, measurements: Vec::new(), advice: None }
    }

    pub(super) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    pub(super) fn measured(
        mut self,
        name: &'static str,
        value: impl Into<Figure>,
        unit: &'static str,
    ) -> Self {
        let value = value.into().0;
        self.measurements.push(Measurement { name, value, unit });
        self
    }

    /// What to do, where something is to be done.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        if self.severity > Severity::Ok {
            self.advice = Some(advice.into());
        }
        self
    }
}

/// A number that was measured: whole ones are far below what a float cannot hold.
pub(super) struct Figure(f64);

impl From<f64> for Figure {
    fn from(value: f64) -> Self {
        Self(if value.is_finite() { value } else { 0.0 })
    }
}

impl From<i64> for Figure {
    fn from(value: i64) -> Self {
        Self(value as f64)
    }
}

/// Figure that was measured.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DatabaseMeasurement)]
pub struct Measurement {
    /// Name of the figure.
    pub name: &'static str,
    /// Value.
    pub value: f64,
    /// Unit of the value: `bytes`, `seconds`, `rows`, `ratio`, …
    pub unit: &'static str,
}

/// Statement that took a long time, without its values.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DatabaseStatement)]
pub struct Statement {
    /// Where it was recorded: `server`, by this process, or `pg_stat_statements`, by PostgreSQL.
    pub source: &'static str,
    /// Identifier of the statement, as in metrics and the server log.
    pub fingerprint: String,
    /// Text of the statement, with `?` for values.
    pub statement: String,
    /// Number of executions. Of source `server`, only slow ones are counted.
    pub calls: i64,
    /// Duration of these executions in total, in seconds.
    pub total_seconds: f64,
    /// Duration of the longest execution, in seconds.
    pub max_seconds: f64,
    /// Plan of the database. Absent if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

impl Statement {
    pub(super) fn new(
        source: &'static str,
        fingerprint: Fingerprint,
        calls: i64,
        total: f64,
        max: f64,
    ) -> Self {
        let Fingerprint { id, text, .. } = fingerprint;
        Self {
            source,
            fingerprint: id,
            statement: text,
            calls,
            total_seconds: total,
            max_seconds: max,
            plan: None,
        }
    }
}

impl From<SlowStatement> for Statement {
    fn from(slow: SlowStatement) -> Self {
        let seconds = Duration::as_secs_f64;
        let calls = i64::try_from(slow.calls).unwrap_or(i64::MAX);
        let (total, max) = (seconds(&slow.total), seconds(&slow.max));
        let plan = slow.plan.and_then(Result::ok);
        Self { plan, ..Self::new("server", slow.fingerprint, calls, total, max) }
    }
}

/// What an examination could not see.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DatabaseInvisible)]
pub struct Invisible {
    /// Name of the check, or of the part of it.
    pub check: &'static str,
    /// Why it is not visible, and how it can be made visible.
    pub reason: String,
}

/// What the checks write down.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) findings: Vec<Finding>,
    pub(super) statements: Vec<Statement>,
    pub(super) not_visible: Vec<Invisible>,
}

impl Notes {
    pub(super) fn hide(&mut self, check: &'static str, reason: impl Into<String>) {
        self.not_visible.push(Invisible { check, reason: reason.into() });
    }

    /// Keeps the findings of a check, or why there are none.
    pub(super) fn keep(&mut self, check: &'static str, found: Result<Vec<Finding>>) {
        match found {
            Ok(mut found) => {
                found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
                found.truncate(MAX_FINDINGS);
                self.findings.extend(found);
            }
            Err(error) => self.hide(check, format!("the database refuses it: {error}")),
        }
    }
}

/// Bytes as a person reads them.
pub(super) fn size(bytes: i64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    match mebibytes {
        it if it >= 1024.0 => format!("{:.1} GiB", it / 1024.0),
        it if it >= 10.0 => format!("{it:.0} MiB"),
        it => format!("{it:.1} MiB"),
    }
}

/// Seconds as a person reads them.
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        it if it >= 172_800.0 => format!("{:.0} days", it / 86_400.0),
        it if it >= 7200.0 => format!("{:.0} hours", it / 3600.0),
        it if it >= 120.0 => format!("{:.0} minutes", it / 60.0),
        it => format!("{it:.1} seconds"),
    }
}

impl Report {
    /// The example of the schema.
    pub(super) fn example() -> Value {
        json!({
            "severity": "warning",
            "engine": "postgresql",
            "engine_version": "18.1",
            "examined_at": "2026-11-21T08:15:00Z",
            "findings": [{
                "check": "vacuum",
                "severity": "warning",
                "subject": "expense",
                "summary": "expense has 52000 dead rows besides 110000 live ones, and was vacuumed 9 days ago",
                "measurements": [{ "name": "dead_rows", "value": 52000.0, "unit": "rows" }],
                "advice": "VACUUM (ANALYZE) \"expense\", and lower its autovacuum_vacuum_scale_factor",
            }],
            "statements": [{
                "source": "server",
                "fingerprint": "4f5e3c1a9b2d7e60",
                "statement": "SELECT \"id\" FROM \"expense\" WHERE \"organization_id\" = ? LIMIT ?",
                "calls": 12,
                "total_seconds": 9.5,
                "max_seconds": 1.25,
                "plan": "Limit\n  ->  Index Scan using expense_pkey on expense",
            }],
            "not_visible": [{
                "check": "pg_stat_statements",
                "reason": "the extension is not installed: CREATE EXTENSION pg_stat_statements",
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_as_severe_as_the_bounds_that_it_reaches() {
        let severity = |figure| Severity::of(figure, 0.8, 0.95);
        assert_eq!(severity(0.79), Severity::Ok);
        assert_eq!(severity(0.8), Severity::Warning);
        assert_eq!(severity(0.95), Severity::Critical);
        assert!(Severity::Ok < Severity::Warning && Severity::Warning < Severity::Critical);
    }

    #[test]
    fn advice_is_for_what_is_wrong() {
        let fine = Finding::new("pool", Severity::Ok, String::new()).advise("do this");
        assert_eq!(fine.advice, None);
        let wrong = Finding::new("pool", Severity::Warning, String::new()).advise("do this");
        assert_eq!(wrong.advice.as_deref(), Some("do this"));
    }

    #[test]
    fn figures_are_shown_for_people() {
        assert_eq!(
            [size(5 << 19), size(20 << 20), size(3 << 30)],
            ["2.5 MiB", "20 MiB", "3.0 GiB"]
        );
        assert_eq!(
            [span(1.3), span(180.0), span(10_800.0), span(864_000.0)],
            ["1.3 seconds", "3 minutes", "3 hours", "10 days"]
        );
    }
}
