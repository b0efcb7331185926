//! What operators and their machines look at: alive, ready, metrics.

use std::sync::OnceLock;

use actix_web::{HttpRequest, HttpResponse, get, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use service::zone;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{extract::Query, paths::Paths, problem, response::Result, state::State};

/// The tag of the operations of this file.
pub(crate) const TAG: &str = "operations";
/// The path of what only operators may see.
pub(crate) const METRICS: &str = "/metrics";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(get_health).service(get_readiness).service(get_metrics);
}

/// Liveness of the process.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// Readiness of the process to serve requests.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// State of the process: `ok`, `stopping` or `unavailable`.
    status: &'static str,
    /// State of the database: `ok` or `unavailable`.
    database: &'static str,
    /// Database engine: `sqlite` or `postgresql`.
    engine: &'static str,
    /// Time zone data in use. Present only if `verbose` is requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zones: Option<TimeZones>,
}

/// Time zone data in use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeZoneData)]
struct TimeZones {
    /// Version of the tz database, such as `2026f`; null if the data does not state it.
    version: Option<&'static str>,
    /// Origin of the data: `bundled` with the server, or a `folder` of the machine.
    source: &'static str,
}

impl TimeZones {
    fn installed() -> Self {
        let zones = zone::installed();
        let source = match zones.source() {
            zone::Source::Bundled => "bundled",
            zone::Source::Folder(_) => "folder",
        };
        Self { version: zones.version(), source }
    }
}

/// Options of the readiness check.
#[service::input::bounded]
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReadyQuery {
    /// Include details. Any value but `false` enables it, also an empty one: `?verbose`.
    #[validate(length(max = 100))]
    verbose: Option<String>,
}

/// Check liveness
///
/// Succeeds as long as the process runs. Does not query the database.
#[utoipa::path(
    tag = "operations",
    security(()),
    responses((status = 200, description = "The process runs", body = Health), problem::Served),
)]
#[get("/health")]
async fn get_health() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// Check readiness
///
/// Status 503 if the database is unavailable, and as soon as the process is stopping. The server
/// may show details at the address for operators alone.
#[utoipa::path(
    tag = "operations",
    security(()),
    params(ReadyQuery),
    responses(
        (status = 200, description = "The process is ready", body = Readiness),
        problem::Operators,
        (status = 503, description = "The process is not ready", body = Readiness),
    ),
)]
#[get("/ready")]
async fn get_readiness(
    request: HttpRequest,
    state: web::Data<State>,
    paths: web::Data<Paths>,
    Query(query): Query<ReadyQuery>,
) -> Result<HttpResponse> {
    let asked = query.verbose.is_some_and(|text| text != "false");
    if asked && !paths.is_for_operators(&request) {
        let why = "the details are at the address for operators";
        return Err(service::Error::forbidden("operators_only", why).into());
    }
    let readiness = |status, database| Readiness {
        status,
        database,
        engine: state.store.engine().as_str(),
        time_zones: asked.then(TimeZones::installed),
    };
    Ok(match state.store.ping().await {
        Ok(()) if state.connections.is_stopping() => not_ready(readiness("stopping", "ok")),
        Ok(()) => HttpResponse::Ok().json(readiness("ok", "ok")),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            not_ready(readiness("unavailable", "unavailable"))
        }
    })
}

fn not_ready(readiness: Readiness) -> HttpResponse {
    HttpResponse::ServiceUnavailable().insert_header(("retry-after", "1")).json(readiness)
}

/// Get metrics
///
/// Returns the metrics in the Prometheus text format. The server may show them at the address for
/// operators alone.
#[utoipa::path(
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "Metrics", body = String, content_type = "text/plain"),
        problem::Served,
    ),
)]
#[get("/metrics")]
async fn get_metrics(
    state: web::Data<State>,
    prometheus: web::Data<PrometheusHandle>,
) -> HttpResponse {
    for pool in state.store.pools() {
        metrics::gauge!("steward_pool_connections", "pool" => pool.name, "state" => "idle")
            .set(pool.idle as f64);
        metrics::gauge!("steward_pool_connections", "pool" => pool.name, "state" => "used")
            .set(f64::from(pool.open) - pool.idle as f64);
    }
    if let Some(replica) = state.store.replica_status().await {
        metrics::gauge!("steward_replica_up").set(f64::from(u8::from(replica.is_up)));
        metrics::gauge!("steward_replica_lag_bytes")
            .set(replica.lag_bytes.map_or(f64::NAN, |bytes| bytes as f64));
    }
    if let Some(redis) = &state.redis {
        metrics::gauge!("steward_redis_circuit_open").set(f64::from(redis.is_given_up()));
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(prometheus.render())
}

/// The process' one recorder of metrics.
pub(crate) fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(install).clone()
}

#[expect(clippy::expect_used, reason = "constant settings, at the start of the process")]
fn install() -> PrometheusHandle {
    const SECONDS: &[f64] =
        &[0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
    const JOBS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full("steward_writer_batch".into()), JOBS)
        })
        .expect("the buckets are not empty")
        .install_recorder()
        .expect("no other recorder is installed");
    describe();
    handle
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_histogram!(
        "steward_http_request_seconds",
        Unit::Seconds,
        "How long requests took, by method, route and status"
    );
    describe_histogram!(
        "steward_statement_seconds",
        Unit::Seconds,
        "How long statements took, by operation and result"
    );
    describe_gauge!("steward_pool_connections", "Connections to the database, by pool and state");
    describe_gauge!("steward_replica_up", "Whether the replica serves reads");
    describe_gauge!(
        "steward_replica_lag_bytes",
        Unit::Bytes,
        "How much of the primary's log the replica has not replayed"
    );
    describe_histogram!(
        "steward_replica_wait_seconds",
        Unit::Seconds,
        "How long reads waited for the replica to show what their readers were shown"
    );
    describe_counter!(
        "steward_replica_reads_total",
        "Reads that may be made on the replica, by outcome: served there, or on the primary since it was away, behind \
         or failed"
    );
    describe_gauge!(
        "steward_events_waiting_seconds",
        Unit::Seconds,
        "How long events have waited for a position that nobody gives them"
    );
    describe_gauge!("steward_writer_queue", "Writes that wait for SQLite's writer");
    describe_histogram!("steward_writer_batch", "Writes that one SQLite commit took");
    describe_counter!(
        "steward_cache_requests_total",
        "What was looked for in a cache, by layer, entity and result"
    );
    describe_histogram!(
        "steward_redis_request_seconds",
        Unit::Seconds,
        "How long calls of Redis took, by result"
    );
    describe_counter!(
        "steward_redis_refused_total",
        "Calls of Redis that were not tried, because those before them had failed"
    );
    describe_counter!(
        "steward_redis_circuit_opened_total",
        "How often calls of Redis were given up for a while"
    );
    describe_gauge!("steward_redis_circuit_open", "1 while calls of Redis are given up");
    describe_counter!(
        "steward_transaction_retries_total",
        "Transactions that PostgreSQL made run again"
    );
}
