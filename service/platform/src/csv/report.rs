use serde::Serialize;

use super::{OnError, RowError};
use crate::error::{Error, ImportFailure, Result};

/// How many bad rows are reported one by one; all are counted.
pub const MAX_REPORTED: usize = 1000;

/// What an import tells of what it did.
pub trait Report: Serialize + Sized {
    /// How many rows are bad, and what is wrong with them.
    fn failures(&mut self) -> (&mut u64, &mut Vec<RowError>);

    /// The same, after all that was written is undone.
    fn with_nothing_written(self) -> Self;

    /// Counts a bad row.
    fn fail(&mut self, error: RowError) {
        let (failed, errors) = self.failures();
        *failed += 1;
        if errors.len() < MAX_REPORTED {
            errors.push(error);
        }
    }

    /// The same, with bad rows that were found later: in the order of their lines.
    fn with_failures(mut self, found: Vec<RowError>) -> Self {
        for error in found {
            self.fail(error);
        }
        self.failures().1.sort_by_key(|error| error.line);
        self
    }

    /// Gives the import up where rows are bad and none may be.
    fn or_abort(mut self, on_error: OnError) -> Result<Self> {
        let failed = *self.failures().0;
        if failed == 0 || on_error == OnError::Skip {
            return Ok(self);
        }
        // Nothing is written: a report that said otherwise would be false.
        let report = serde_json::to_value(self.with_nothing_written())
            .map_err(|error| Error::Internal(format!("a report cannot be shown: {error}")))?;
        Err(Error::Import(Box::new(ImportFailure { failed, report })))
    }
}
