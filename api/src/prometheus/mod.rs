//! `/metrics`: every metric ([`METRICS`]), and the one recorder of the process.

mod list;

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use service::store::{Engine, Store};

pub use list::{Kind, METRICS, Metric};

use crate::{otlp, state::State};

/// The process' one recorder of metrics.
pub(crate) fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(install).clone()
}

#[expect(clippy::expect_used, reason = "constant settings, at the start of the process")]
fn install() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full("steward_writer_batch".into()), JOBS)
        })
        .expect("the buckets are not empty")
        .build_recorder();
    let handle = recorder.handle();
    otlp::set_recorder(recorder).expect("no other recorder is installed");
    METRICS.iter().for_each(describe);
    handle
}

const SECONDS: &[f64] = &[0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
const JOBS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The buckets of a histogram.
#[cfg(feature = "otel")]
pub(crate) fn buckets(name: &str) -> &'static [f64] {
    if name.ends_with("_seconds") { SECONDS } else { JOBS }
}

fn describe(metric: &Metric) {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    match metric.kind {
        Kind::Counter => describe_counter!(metric.name, metric.help),
        Kind::Gauge => describe_gauge!(metric.name, metric.help),
        Kind::Histogram => describe_histogram!(metric.name, metric.help),
    }
}

/// Sets what is known at the start, and what changes only with what may never happen: a series that is not there is
/// not zero.
pub(crate) fn begin(store: &Store) {
    metrics::gauge!(
        "steward_build_info",
        "version" => env!("CARGO_PKG_VERSION"), "engine" => store.engine().as_str(),
    )
    .set(1);
    metrics::gauge!("steward_event_streams").increment(0.0);
    metrics::counter!("steward_document_recoveries_total").increment(0);
    match store.engine() {
        Engine::Sqlite => metrics::gauge!("steward_writer_failed").increment(0.0),
        Engine::Postgres => metrics::counter!("steward_transaction_retries_total").increment(0),
    }
}

/// The metrics as text.
pub(crate) async fn render(state: &State) -> String {
    measure(state).await;
    state.prometheus.render()
}

/// Measures what nobody measures by itself. It asks the database for nothing.
pub(crate) async fn measure(State { store, redis, .. }: &State) {
    for pool in store.pools() {
        let state = |state: &'static str, connections: f64| {
            metrics::gauge!("steward_pool_connections", "pool" => pool.name, "state" => state)
                .set(connections);
        };
        state("idle", pool.idle as f64);
        state("used", f64::from(pool.open) - pool.idle as f64);
        metrics::gauge!("steward_pool_connections_max", "pool" => pool.name).set(pool.max);
        metrics::gauge!("steward_pool_waiting", "pool" => pool.name).set(pool.waiting as f64);
    }
    if let Some(queued) = store.writer_queue() {
        metrics::gauge!("steward_writer_queue").set(queued as f64);
    }
    if let Some(replica) = store.replica_status().await {
        metrics::gauge!("steward_replica_up").set(f64::from(u8::from(replica.is_up)));
        metrics::gauge!("steward_replica_lag_bytes")
            .set(replica.lag_bytes.map_or(f64::NAN, |bytes| bytes as f64));
    }
    if let Some(redis) = redis {
        metrics::gauge!("steward_redis_circuit_open").set(f64::from(redis.is_given_up()));
    }
}

/// How often the values of histograms are put into their buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Keeps the values of histograms from piling up where nobody asks for metrics, for as long as it runs.
pub(crate) async fn upkeep() {
    let handle = recorder();
    loop {
        tokio::time::sleep(UPKEEP_INTERVAL).await;
        handle.run_upkeep();
    }
}
