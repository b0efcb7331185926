//! Telemetry for others: traces, metrics and the log, sent over OTLP to where the environment says.
//!
//! Without the feature `otel` there is none, and [`absent`] says so. With it, spans, measurements and lines of the
//! log go into queues of a fixed length, from which threads of their own send them: what does not fit is dropped, and
//! nobody waits.

use tracing_subscriber::{Layer, Registry};

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod client;
#[cfg(feature = "otel")]
mod exporters;
#[cfg(feature = "otel")]
mod metrics;
#[cfg(feature = "otel")]
mod settings;
#[cfg(feature = "otel")]
mod traces;

#[cfg(not(feature = "otel"))]
pub(crate) use absent::{Telemetry, set_recorder, shown};
#[cfg(feature = "otel")]
pub(crate) use {exporters::Telemetry, metrics::set_recorder, settings::shown};

/// A layer of the process' subscriber.
pub(crate) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;
