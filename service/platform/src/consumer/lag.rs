//! How far consumers are behind, as metrics.

use super::{Consumer, repository};
use crate::{error::Result, measure::seconds_since, store::Store};

/// How many events a consumer has not been past, in all organizations, and how many seconds ago the oldest of them
/// happened.
///
/// # Errors
/// Where the database does not answer.
pub async fn behind(store: &Store, consumer: &str) -> Result<(i64, f64)> {
    let (events, since) = repository::behind(store.read(), consumer).await?;
    Ok((events, seconds_since(store, since)))
}

/// Measures how far each consumer is behind, and what it has given up on.
///
/// # Errors
/// Where the database does not answer.
pub async fn measure(store: &Store, consumers: &'static [Consumer]) -> Result<()> {
    let parked = repository::count_parked(store.read()).await?;
    for consumer in consumers {
        let (events, seconds) = behind(store, consumer.name).await?;
        metrics::gauge!("steward_consumer_lag_events", "consumer" => consumer.name)
            .set(events as f64);
        metrics::gauge!("steward_consumer_lag_seconds", "consumer" => consumer.name).set(seconds);
        let of_this = parked.iter().find(|(name, _)| name == consumer.name);
        metrics::gauge!("steward_consumer_parked_events", "consumer" => consumer.name)
            .set(of_this.map_or(0, |(_, count)| *count) as f64);
    }
    Ok(())
}
