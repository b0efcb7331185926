//! How far webhooks are behind, as metrics: behind the log, and with what is to be sent.

use super::repository;
use crate::{
    error::Result,
    measure::{count_waiting, seconds_since},
    store::Store,
};

/// Measures how many events webhooks have not gone through, how many deliveries are to be sent, and for how long the
/// first of each has waited.
///
/// # Errors
/// Where the database does not answer.
pub(crate) async fn measure(store: &Store) -> Result<()> {
    let (events, since) = repository::behind(store.read()).await?;
    metrics::gauge!("steward_webhook_lag_events").set(events as f64);
    metrics::gauge!("steward_webhook_lag_seconds").set(seconds_since(store, since));
    let (deliveries, since) = count_waiting(store.read(), repository::pending()).await?;
    metrics::gauge!("steward_webhook_pending_deliveries").set(deliveries as f64);
    metrics::gauge!("steward_webhook_overdue_seconds").set(seconds_since(store, since));
    Ok(())
}
