//! How far the sagas are behind, as metrics.

use super::repository;
use crate::{
    error::Result,
    measure::{count_waiting, seconds_since},
    store::Store,
};

/// Measures how many sagas are due, and for how long the first of them has been.
///
/// # Errors
/// Where the database does not answer.
pub async fn measure(store: &Store) -> Result<()> {
    let waiting = repository::waiting(store.now());
    let (sagas, since) = count_waiting(store.read(), waiting).await?;
    metrics::gauge!("steward_sagas_due").set(sagas as f64);
    metrics::gauge!("steward_sagas_due_seconds").set(seconds_since(store, since));
    Ok(())
}
