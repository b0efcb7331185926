//! What an import says that it has done.

use serde::Serialize;
use utoipa::ToSchema;

use super::reasons::{Ignored, Reasons};
use crate::csv::{MAX_REPORTED, Report, RowError};

/// Result of an import of expenses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ExpenseImportReport)]
pub struct ImportReport {
    /// Number of expenses that the import created, or would create on a dry run.
    pub created: u64,
    /// Number of rows that an earlier import had imported.
    pub duplicates: u64,
    /// Number of rows that an earlier import had imported and somebody has deleted since. They stay
    /// deleted unless `restore` is true.
    pub deleted_before: u64,
    /// Number of rows that are not spending: of money that came in, of balances, and those that are not
    /// booked. `reasons` says which.
    pub ignored: u64,
    /// Number of rows of money that came in, which are among the `ignored`.
    pub ignored_income: u64,
    /// Number of invalid rows.
    pub failed: u64,
    /// Why rows were not imported, with the number of rows for each reason.
    #[schema(value_type = Vec<crate::csv::Reason>)]
    pub reasons: Reasons,
    /// Errors of the invalid rows, at most 1000.
    pub errors: Vec<RowError>,
}

impl ImportReport {
    /// This, and what comes after it in the file.
    pub(super) fn and(mut self, next: Self) -> Self {
        let Self {
            created,
            duplicates,
            deleted_before,
            ignored,
            ignored_income,
            failed,
            reasons,
            errors,
        } = next;
        self.created += created;
        self.duplicates += duplicates;
        self.deleted_before += deleted_before;
        self.ignored += ignored;
        self.ignored_income += ignored_income;
        let room = MAX_REPORTED.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
        self.failed += failed;
        self.reasons.add(reasons);
        self
    }

    pub(super) fn ignore(&mut self, why: Ignored) {
        self.ignored += 1;
        self.ignored_income += u64::from(why == Ignored::Income);
        self.reasons.count(why.code());
    }
}

impl Report for ImportReport {
    fn failures(&mut self) -> (&mut u64, &mut Vec<RowError>) {
        (&mut self.failed, &mut self.errors)
    }

    fn with_nothing_written(self) -> Self {
        Self { created: 0, duplicates: 0, deleted_before: 0, ..self }
    }

    fn fail(&mut self, error: RowError) {
        self.reasons.count(error.code);
        self.failed += 1;
        if self.errors.len() < MAX_REPORTED {
            self.errors.push(error);
        }
    }
}
