//! The spans of a request: that of its trace, and within it that of its lines in the log.

use std::future::Future;

use actix_web::{
    dev::ServiceRequest,
    http::{StatusCode, header::HeaderMap},
};
use service::trace::{self, TARGET};
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

/// The spans of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestSpan {
    /// After OpenTelemetry's semantic conventions for HTTP; disabled where traces are not recorded.
    trace: Span,
    log: Span,
    trace_id: Option<String>,
}

impl RequestSpan {
    /// Begins them, with the id of the request. The method is one that may be a label; the route is a pattern, if
    /// there is one.
    pub(crate) fn begin(
        request: &ServiceRequest,
        (id, text): (Uuid, &str),
        method: &'static str,
        route: Option<&str>,
    ) -> Self {
        let trace = trace_span(request, text, method, route);
        continue_trace(&trace, request.headers());
        if !request.method().is_safe() {
            trace::remember(&trace, id);
        }
        let trace_id = trace::trace_id(&trace);
        let route = route.unwrap_or(UNMATCHED);
        let log = tracing::info_span!("request", request_id = text, method, route, trace_id);
        Self { trace, log, trace_id }
    }

    /// The id of the trace, if it is recorded.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// Has something be done within them.
    pub(crate) fn instrument<F: Future>(
        &self,
        work: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        work.instrument(self.log.clone()).instrument(self.trace.clone())
    }

    /// Does something within them.
    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.trace.in_scope(|| self.log.in_scope(work))
    }

    /// Says why the request failed: the code of its problem, or else the status.
    pub(crate) fn failed(&self, status: StatusCode, code: Option<&str>) {
        if status.is_server_error() {
            self.trace.record("error.type", code.unwrap_or(status.as_str()));
            self.trace.record("otel.status_code", "ERROR");
        }
    }

    /// Says how it was answered.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.trace.record("http.response.status_code", i64::from(status.as_u16()));
    }
}

/// What stands for the route of a path that there is not.
pub(crate) const UNMATCHED: &str = "unmatched";

fn trace_span(
    request: &ServiceRequest,
    id: &str,
    method: &'static str,
    route: Option<&str>,
) -> Span {
    let (name, method) = match method {
        "other" => ("HTTP", "_OTHER"),
        known => (known, known),
    };
    tracing::debug_span!(
        target: TARGET,
        parent: None,
        "http request",
        otel.name = match route {
            Some(route) => format!("{name} {route}"),
            None => name.to_owned(),
        },
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        url.path = route.map(|route| shown_path(route, request.path())),
        url.scheme = "http",
        steward.request_id = id,
        http.response.status_code = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    )
}

/// A path that anybody may see: of its variables it has ids, and not the token of an invitation.
fn shown_path(route: &str, path: &str) -> String {
    let segments = route.split('/').zip(path.split('/')).map(|(name, value)| {
        let is_shown = !name.starts_with('{') || Uuid::try_parse(value).is_ok();
        if is_shown { value } else { name }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Makes the request a part of the trace that its client names (W3C Trace Context).
fn continue_trace(span: &Span, headers: &HeaderMap) {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(traceparent) = header("traceparent") {
        trace::continue_from(span, traceparent, header("tracestate"));
    }
}

#[cfg(test)]
mod tests {
    use super::shown_path;

    #[test]
    fn a_path_is_shown_with_its_ids_and_without_its_tokens() {
        let id = "0199aaaa-0000-7000-8000-00000000000a";
        for (route, path, shown) in [
            ("/v1/users/me", "/v1/users/me", "/v1/users/me".to_owned()),
            ("/v1/rules/{rule_id}", &*format!("/v1/rules/{id}"), format!("/v1/rules/{id}")),
            ("/v1/rules/{rule_id}", "/v1/rules/Ada", "/v1/rules/{rule_id}".to_owned()),
            (
                "/v1/invitations/{token}/accept",
                "/v1/invitations/stw_i_secret/accept",
                "/v1/invitations/{token}/accept".to_owned(),
            ),
            ("/docs/{*file}", "/docs/a/b.css", "/docs/{*file}".to_owned()),
            ("/", "/", "/".to_owned()),
        ] {
            assert_eq!(shown_path(route, path), shown);
        }
    }
}
