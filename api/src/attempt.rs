//! What counts as a guess of those who ask.

use service::identity::throttle::Attempt;

use crate::response::Result;

/// What a right answer to an attempt says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Success {
    /// Who asks is who they say: what failed before is forgiven.
    Proves,
    /// Nothing: the next attempt is one more.
    ProvesNothing,
}

/// Counts an attempt by what came of it: as failed where the failure has one of these codes. Of any
/// other failure nothing is learned.
pub(crate) async fn judge<T>(
    attempt: Attempt,
    success: Success,
    wrong: &[&str],
    answered: Result<T>,
) -> Result<T> {
    match (&answered, success) {
        (Ok(_), Success::Proves) => attempt.succeeded().await,
        (Err(failure), _) if wrong.contains(&failure.code()) => drop(attempt),
        _ => attempt.undecided().await,
    }
    answered
}
