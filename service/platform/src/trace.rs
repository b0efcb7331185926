//! Traces: the spans of what steward does, and the way to whoever records them.
//!
//! A span is one of `tracing`'s, of [`TARGET`] and at DEBUG, and costs a comparison as long as no subscriber wants
//! that. What is done within a request is part of its trace; what is done later, in the background, is a trace of its
//! own with a link to the one in which it was begun, where that is still known. A look for work, which finds none
//! most times, is in no trace.
//!
//! What traces are outside of this process, a [`Recorder`] knows, which is handed in once.

use std::sync::OnceLock;

use tracing::{Level, Span, level_filters::LevelFilter};
use uuid::Uuid;

/// The target of the spans.
pub const TARGET: &str = "steward::trace";

/// Who records spans, and knows what other services call them.
pub trait Recorder: Send + Sync {
    /// Makes a span that nobody has entered a part of the trace that headers name (W3C Trace Context). Headers that
    /// name none leave it as it is.
    fn continue_from(&self, span: &Span, traceparent: &str, tracestate: Option<&str>);

    /// The id of the trace of a span: 32 digits in hexadecimal. None if it is not recorded.
    fn trace_id(&self, span: &Span) -> Option<String>;

    /// What tells another service which span it is called in, as the header `traceparent` has it.
    fn traceparent(&self, span: &Span) -> Option<String>;

    /// Remembers for a while in which span something was begun.
    fn remember(&self, span: &Span, id: Uuid);

    /// Links a span to the one in which something was begun, if that is remembered.
    fn link(&self, span: &Span, id: Uuid);
}

static RECORDER: OnceLock<Box<dyn Recorder>> = OnceLock::new();

/// Hands in who records. Only the first of a process is taken.
pub fn install(recorder: Box<dyn Recorder>) {
    let _ = RECORDER.set(recorder);
}

/// Who records a span; nobody, if it is disabled.
fn recorder(span: &Span) -> Option<&'static dyn Recorder> {
    if span.is_disabled() { None } else { RECORDER.get().map(|recorder| &**recorder) }
}

/// As [`Recorder::continue_from`].
pub fn continue_from(span: &Span, traceparent: &str, tracestate: Option<&str>) {
    if let Some(recorder) = recorder(span) {
        recorder.continue_from(span, traceparent, tracestate);
    }
}

/// As [`Recorder::trace_id`].
pub fn trace_id(span: &Span) -> Option<String> {
    recorder(span)?.trace_id(span)
}

/// As [`Recorder::traceparent`].
pub fn traceparent(span: &Span) -> Option<String> {
    recorder(span)?.traceparent(span)
}

/// As [`Recorder::remember`].
pub fn remember(span: &Span, id: Uuid) {
    if let Some(recorder) = recorder(span) {
        recorder.remember(span, id);
    }
}

/// As [`Recorder::link`].
pub fn link(span: &Span, id: Uuid) {
    if let Some(recorder) = recorder(span) {
        recorder.link(span, id);
    }
}

/// The span that is entered, for what goes on elsewhere; none where spans are not recorded.
pub fn current() -> Span {
    // Not asked of the subscriber first: that costs more than what is recorded by default may.
    if LevelFilter::current() >= Level::DEBUG { Span::current() } else { Span::none() }
}

/// Whether spans may be recorded, and something is under way that they would be part of.
pub fn is_active() -> bool {
    !current().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_wants_is_not_active() {
        let span = tracing::debug_span!(target: TARGET, "test");
        let _entered = span.enter();
        assert!(span.is_disabled() && !is_active());
        assert_eq!((trace_id(&span), traceparent(&span)), (None, None));
    }
}
