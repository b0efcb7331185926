//! A program that sends no telemetry, and says so where it is asked to.

use std::env;

use metrics_exporter_prometheus::PrometheusRecorder;
use tracing_subscriber::EnvFilter;

use super::BoxedLayer;
use crate::state::State;

/// The variables that turn telemetry on.
const ENDPOINTS: [&str; 4] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
];

/// The first of them that is set, and what that comes to.
fn unheeded() -> Option<String> {
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let name = ENDPOINTS.into_iter().find(is_set)?;
    Some(format!(
        "{name} is set, but this steward is built without the feature otel: no telemetry is sent"
    ))
}

/// What `steward check` says of telemetry.
pub(crate) fn shown() -> Result<Vec<String>, String> {
    let line = unheeded().map(|why| format!("WARNING: {why}"));
    Ok(vec![line.unwrap_or_else(|| "none: this steward is built without the feature otel".into())])
}

/// Nothing that is sent.
#[derive(Debug)]
pub(crate) struct Telemetry;

impl Telemetry {
    pub(crate) fn start() -> Result<Self, String> {
        Ok(Self)
    }

    pub(crate) fn layers(&self, _: EnvFilter) -> Vec<BoxedLayer> {
        Vec::new()
    }

    /// Says in the log that nothing is sent, if something was to be.
    pub(crate) fn announce(&self) {
        if let Some(why) = unheeded() {
            tracing::warn!("{why}");
        }
    }

    pub(crate) fn measure(&self, _: &State) {}

    pub(crate) async fn stop(self) {}
}

/// Has what is measured recorded.
pub(crate) fn set_recorder(recorder: PrometheusRecorder) -> Result<(), String> {
    ::metrics::set_global_recorder(recorder).map_err(|error| error.to_string())
}
