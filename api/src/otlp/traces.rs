//! What spans are outside of this process.

use std::{collections::HashMap, time::Duration};

use moka::sync::Cache;
use opentelemetry::{
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use service::trace::Recorder;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
/// How many spans are remembered, and for how long: what a request leaves to the background is mostly done at once.
const MAX_REMEMBERED: u64 = 10_000;
const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// Knows the spans that are exported.
pub(super) struct Traces {
    propagator: TraceContextPropagator,
    begun: Cache<Uuid, SpanContext>,
}

impl Traces {
    pub(super) fn new() -> Self {
        let begun = Cache::builder().max_capacity(MAX_REMEMBERED).time_to_live(MAX_AGE).build();
        Self { propagator: TraceContextPropagator::new(), begun }
    }
}

fn span_context(span: &Span) -> Option<SpanContext> {
    let context = span.context().span().span_context().clone();
    context.is_valid().then_some(context)
}

impl Recorder for Traces {
    fn continue_from(&self, span: &Span, traceparent: &str, tracestate: Option<&str>) {
        let mut headers = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        headers.extend(tracestate.map(|it| (TRACESTATE.to_owned(), it.to_owned())));
        let parent = self.propagator.extract(&headers);
        if parent.span().span_context().is_valid() {
            // It fails for a span that has begun: then it stays what it is.
            let _ = span.set_parent(parent);
        }
    }

    fn trace_id(&self, span: &Span) -> Option<String> {
        span_context(span).map(|context| context.trace_id().to_string())
    }

    fn traceparent(&self, span: &Span) -> Option<String> {
        let mut headers = HashMap::new();
        self.propagator.inject_context(&span.context(), &mut headers);
        headers.remove(TRACEPARENT)
    }

    fn remember(&self, span: &Span, id: Uuid) {
        if let Some(context) = span_context(span) {
            self.begun.insert(id, context);
        }
    }

    fn link(&self, span: &Span, id: Uuid) {
        if let Some(context) = self.begun.get(&id) {
            span.add_link(context);
        }
    }
}
