//! What operators and their machines look at: alive, ready, metrics, the state of the database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use service::{
    Store,
    doctor::{self, Examination, Report},
    error, zone,
};
use tokio::sync::Mutex;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{extract::Query, paths::Paths, problem, prometheus, response::Result, state::State};

/// The tag of the operations of this file.
pub(crate) const TAG: &str = "operations";
/// The paths of what only operators may see.
pub(crate) const OPERATORS_ONLY: [&str; 2] = ["/metrics", "/v1/operations/database"];

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(get_health).service(get_readiness).service(get_metrics).service(get_database);
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
async fn get_metrics(state: web::Data<State>) -> HttpResponse {
    let metrics = prometheus::render(&state).await;
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(metrics)
}

/// How long a report is shown again instead of examining anew.
const REPORT_LIFETIME: Duration = Duration::from_secs(5);

/// The last report on the database. While one is made, whoever asks waits for it: however many ask, the database is
/// examined once at a time, and no more often than every five seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastReport(Arc<Mutex<Option<(Instant, Report)>>>);

impl LastReport {
    async fn get(&self, store: &Store) -> error::Result<Report> {
        let mut last = self.0.lock().await;
        if let Some((_, report)) = last.as_ref().filter(|(at, _)| at.elapsed() < REPORT_LIFETIME) {
            return Ok(report.clone());
        }
        let examination = Examination { serves: true, ..Examination::default() };
        let report = doctor::examine(store, examination).await?;
        *last = Some((Instant::now(), report.clone()));
        Ok(report)
    }
}

/// Get the state of the database
///
/// Examines connections, locks, long transactions, tables, indexes and slow statements, and returns
/// findings with advice, at most five seconds old. `steward doctor` prints the same. Contains no data of
/// users: statements are shown without their values. The server may show it at the address for operators
/// alone.
#[utoipa::path(
    tag = "operations",
    security(()),
    responses(
        (status = 200, description = "State of the database", body = Report),
        problem::Served,
    ),
)]
#[get("/v1/operations/database")]
async fn get_database(state: web::Data<State>) -> Result<web::Json<Report>> {
    Ok(web::Json(state.last_report.get(&state.store).await?))
}
