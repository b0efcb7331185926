//! Whether the database can be written.

use std::sync::{Mutex, PoisonError};

/// Why nothing can be written, if so; told in the log when it begins, changes and ends.
#[derive(Debug, Default)]
pub(super) struct Failure(Mutex<Option<String>>);

impl Failure {
    pub(super) fn is_set(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn set(&self, reason: &str) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_deref() != Some(reason) {
            tracing::error!(reason, "the database cannot be written: writes are refused");
            *current = Some(reason.to_owned());
        }
        metrics::gauge!("steward_writer_failed").set(1.0);
    }

    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        tracing::info!("the database can be written again");
        metrics::gauge!("steward_writer_failed").set(0.0);
    }
}
