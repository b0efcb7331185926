//! A collector of telemetry, as far as the tests look: it takes OTLP over HTTP, and decodes it.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::LogRecord,
    metrics::v1::Metric,
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message;
use tests::Receiver;

/// How long anything may take to be sent.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A collector. It ends when this goes.
pub(super) struct Collector(Receiver);

impl Collector {
    pub(super) fn start() -> Self {
        Self(Receiver::answering(200))
    }

    /// Where telemetry is sent to.
    pub(super) fn url(&self) -> &str {
        &self.0.url
    }

    /// What was sent to a path, decoded.
    fn decoded<T: Message + Default>(&self, path: &str) -> Vec<T> {
        let messages = self.0.messages().into_iter().filter(|message| message.path == path);
        messages.map(|message| T::decode(&*message.body).expect("OTLP")).collect()
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        let requests = self.decoded::<ExportTraceServiceRequest>("/v1/traces").into_iter();
        let scopes = requests.flat_map(|it| it.resource_spans).flat_map(|it| it.scope_spans);
        scopes.flat_map(|it| it.spans).collect()
    }

    /// The metrics of the last request.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let last = self.decoded::<ExportMetricsServiceRequest>("/v1/metrics").pop();
        let scopes = last.into_iter().flat_map(|it| it.resource_metrics);
        scopes.flat_map(|it| it.scope_metrics).flat_map(|it| it.metrics).collect()
    }

    pub(super) fn logs(&self) -> Vec<LogRecord> {
        let requests = self.decoded::<ExportLogsServiceRequest>("/v1/logs").into_iter();
        let scopes = requests.flat_map(|it| it.resource_logs).flat_map(|it| it.scope_logs);
        scopes.flat_map(|it| it.log_records).collect()
    }

    /// Who sent spans, metrics and lines of the log.
    pub(super) fn resources(&self) -> Vec<Resource> {
        let traces = self.decoded::<ExportTraceServiceRequest>("/v1/traces").into_iter();
        let traces = traces.flat_map(|it| it.resource_spans).filter_map(|it| it.resource);
        let metrics = self.decoded::<ExportMetricsServiceRequest>("/v1/metrics").into_iter();
        let metrics = metrics.flat_map(|it| it.resource_metrics).filter_map(|it| it.resource);
        let logs = self.decoded::<ExportLogsServiceRequest>("/v1/logs").into_iter();
        let logs = logs.flat_map(|it| it.resource_logs).filter_map(|it| it.resource);
        traces.chain(metrics).chain(logs).collect()
    }

    /// The header of all that was sent.
    pub(super) fn headers(&self, name: &str) -> Vec<Option<String>> {
        let header = |it: &tests::Message| Some(it.headers.get(name)?.to_str().ok()?.to_owned());
        self.0.messages().iter().map(header).collect()
    }

    /// Whether any byte of a text was sent as a part of something.
    pub(super) fn has_heard(&self, text: &str) -> bool {
        let holds = |body: &[u8]| body.windows(text.len()).any(|part| part == text.as_bytes());
        self.0.messages().iter().any(|message| holds(&message.body))
    }

    /// Waits until something was sent.
    pub(super) async fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let end = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < end, "{what}: not sent in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for a span.
    pub(super) async fn span(&self, what: &str, is_it: impl Fn(&Span) -> bool) -> Span {
        self.until(what, |it| it.spans().into_iter().find(|span| is_it(span))).await
    }
}

/// Bytes in hexadecimal, as ids are written.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An attribute as text; empty if there is none.
pub(super) fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    text(found.and_then(|attribute| attribute.value.as_ref()))
}

/// A value as text.
pub(super) fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        _ => String::new(),
    }
}
