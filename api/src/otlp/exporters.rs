//! What a process sends, and the layers that it comes from.

use std::time::Duration;

use opentelemetry::{Key, KeyValue, metrics::MeterProvider, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource, error::OTelSdkResult, logs::SdkLoggerProvider, metrics::SdkMeterProvider,
    trace::SdkTracerProvider,
};
use service::{
    random::Random,
    trace::{self, TARGET},
};
use tokio::runtime::Handle;
use tracing::Level;
use tracing_subscriber::{EnvFilter, Layer, filter::Targets};

use super::{
    BoxedLayer,
    client::{self, Client},
    metrics,
    settings::{self, Signal, Target},
    traces::Traces,
};
use crate::{prometheus, state::State};

/// What spans and instruments are of.
const SCOPE: &str = "steward";
/// How long a stop waits until what is in the queues has been sent.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Who sends, and would be sent what it says of itself.
const SENDERS: [&str; 6] = ["hyper", "hyper_util", "opentelemetry", "reqwest", "rustls", "h2"];

/// How old what nobody measures by itself may be when it is sent.
const MEASURE_INTERVAL: Duration = Duration::from_secs(10);

/// What a process sends, until it is stopped.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    targets: Vec<Target>,
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl Telemetry {
    /// Starts to send what the environment says, to where it says.
    ///
    /// # Errors
    /// What cannot be done.
    pub(crate) fn start() -> Result<Self, String> {
        let targets = settings::targets()?;
        if targets.is_empty() {
            return Ok(Self::default());
        }
        let sender = client::sender().map_err(|error| format!("no thread for OTLP: {error}"))?;
        let resource = resource();
        let mut started = Self { targets: targets.clone(), ..Self::default() };
        for target in &targets {
            match target.signal {
                Signal::Traces => {
                    let exporter = SpanExporter::builder().with_http();
                    let exporter = configure(exporter, target, &sender)?.build().map_err(cannot)?;
                    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
                    let provider = provider.with_resource(resource.clone()).build();
                    trace::install(Box::new(Traces::new()));
                    started.traces = Some(provider);
                }
                Signal::Metrics => {
                    let exporter = MetricExporter::builder().with_http();
                    let exporter = configure(exporter, target, &sender)?.build().map_err(cannot)?;
                    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter);
                    let provider = provider.with_resource(resource.clone()).build();
                    metrics::set_meter(provider.meter(SCOPE));
                    started.metrics = Some(provider);
                }
                Signal::Logs => {
                    let exporter = LogExporter::builder().with_http();
                    let exporter = configure(exporter, target, &sender)?.build().map_err(cannot)?;
                    let provider = SdkLoggerProvider::builder().with_batch_exporter(exporter);
                    let provider = provider.with_resource(resource.clone()).build();
                    started.logs = Some(provider);
                }
            }
        }
        Ok(started)
    }

    /// What spans and lines of the log come from: of the log, what `filter` wants.
    pub(crate) fn layers(&self, filter: EnvFilter) -> Vec<BoxedLayer> {
        let mut layers: Vec<BoxedLayer> = Vec::new();
        if let Some(provider) = &self.traces {
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(SCOPE));
            // Where in the code a span is from is of no use to an operator.
            let layer = layer.with_location(false).with_threads(false).with_target(false);
            let layer = layer.with_tracked_inactivity(false);
            let spans = Targets::new().with_target(TARGET, Level::DEBUG);
            layers.push(layer.with_filter(spans).boxed());
        }
        if let Some(provider) = &self.logs {
            let filter = SENDERS.into_iter().fold(filter, |filter, target| {
                match format!("{target}=off").parse() {
                    Ok(directive) => filter.add_directive(directive),
                    Err(_) => filter,
                }
            });
            layers.push(OpenTelemetryTracingBridge::new(provider).with_filter(filter).boxed());
        }
        layers
    }

    /// Says in the log what is sent where.
    pub(crate) fn announce(&self) {
        for target in &self.targets {
            tracing::info!("telemetry: {target}");
        }
    }

    /// Measures what is measured for `/metrics` when somebody asks for that, if nobody has to ask.
    pub(crate) fn measure(&self, state: &State) {
        if self.metrics.is_none() {
            return;
        }
        let state = state.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(MEASURE_INTERVAL);
            loop {
                interval.tick().await;
                prometheus::measure(&state).await;
            }
        });
    }

    /// Sends what is in the queues, as far as that can be done soon, and ends.
    pub(crate) async fn stop(self) {
        let stopped = tokio::join!(
            stop(self.traces, SdkTracerProvider::shutdown_with_timeout),
            stop(self.metrics, SdkMeterProvider::shutdown_with_timeout),
            stop(self.logs, SdkLoggerProvider::shutdown_with_timeout),
        );
        if stopped != (true, true, true) {
            tracing::warn!("the last telemetry was not sent");
        }
    }
}

/// Stops a provider, and says whether all that it had was sent.
async fn stop<P: Send + 'static>(
    provider: Option<P>,
    shutdown: fn(&P, Duration) -> OTelSdkResult,
) -> bool {
    let Some(provider) = provider else { return true };
    let stopped = tokio::task::spawn_blocking(move || shutdown(&provider, FLUSH_TIMEOUT)).await;
    matches!(stopped, Ok(Ok(())))
}

/// An exporter to a target, with the client of this program and the headers of the environment.
fn configure<B: WithExportConfig + WithHttpConfig>(
    exporter: B,
    target: &Target,
    sender: &Handle,
) -> Result<B, String> {
    let client = Client::new(target, sender).map_err(|error| format!("no HTTP: {error}"))?;
    let exporter = exporter.with_http_client(client).with_protocol(Protocol::HttpBinary);
    Ok(exporter.with_endpoint(target.url.as_str()).with_timeout(target.timeout))
}

fn cannot(error: impl std::fmt::Display) -> String {
    format!("telemetry cannot be sent: {error}")
}

/// Who sends: as the environment says it, and otherwise this version of steward, each process another instance.
fn resource() -> Resource {
    let told = Resource::builder().build();
    let is_missing = |key: &'static str| match told.get(&Key::new(key)) {
        None => true,
        Some(value) => key == "service.name" && value.as_str().starts_with("unknown_service"),
    };
    let instance = uuid::Builder::from_random_bytes(Random::system().bytes()).into_uuid();
    let own = [
        ("service.name", SCOPE.to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", instance.to_string()),
    ];
    let own = own.into_iter().filter(|(key, _)| is_missing(key));
    let own = own.map(|(key, value)| KeyValue::new(key, value)).collect::<Vec<_>>();
    Resource::builder().with_attributes(own).build()
}
