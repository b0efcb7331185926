//! Which pages of other origins may read answers in a browser: CORS, as the Fetch standard says it. By default none.
//! Tokens come in a header and never in a cookie, so that no answer allows credentials.

use std::str::FromStr;

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method,
        header::{self, HeaderMap, HeaderValue},
    },
};
use url::Url;

/// The headers of answers that a page may read, besides those that any page may.
const EXPOSED: &str = "Age, Allow, Content-Disposition, ETag, Idempotent-Replayed, Link, Location, RateLimit, \
     RateLimit-Policy, Retry-After, X-Request-Id, X-Steward-Position";
/// The headers of requests that a page may send.
const ACCEPTED: &str = "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, \
     Last-Event-ID, X-Steward-Position";
/// For how many seconds a browser may remember what it was told: longer than any remembers it.
const MAX_AGE: &str = "86400";

/// The origins whose pages may read answers.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<HeaderValue>);

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

/// An origin as browsers write it (RFC 6454, section 6.2).
fn origin(text: &str) -> Result<HeaderValue, String> {
    let refused = || format!("{text:?} is no origin as in https://app.example.org");
    let url = Url::parse(text).map_err(|_| refused())?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'));
    let host = host.ok_or_else(refused)?;
    let has_more = !matches!(url.path(), "" | "/")
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some();
    if has_more {
        return Err(refused());
    }
    let origin = match (url.origin(), url.port()) {
        (origin, _) if origin.is_tuple() => origin.ascii_serialization(),
        // Apps in a web view have schemes of their own.
        (_, Some(port)) => format!("{}://{host}:{port}", url.scheme()),
        (_, None) => format!("{}://{host}", url.scheme()),
    };
    HeaderValue::try_from(origin).map_err(|_| refused())
}

/// What a request says of the page that sends it.
#[derive(Debug)]
pub(crate) struct CrossOrigin {
    /// Whether any origin is allowed.
    configured: bool,
    /// The origin, if it is an allowed one.
    allowed: Option<HeaderValue>,
    /// Whether the browser asks first, before it sends the request of the page.
    is_preflight: bool,
}

impl CrossOrigin {
    pub(crate) fn of(request: &ServiceRequest, Origins(origins): &Origins) -> Self {
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN);
        Self {
            configured: !origins.is_empty(),
            allowed: origin.filter(|origin| origins.contains(origin)).cloned(),
            is_preflight: request.method() == Method::OPTIONS
                && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// Says in an answer what the page may do.
    pub(crate) fn mark(&self, response: &mut HttpResponse) {
        if !self.configured {
            return;
        }
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = &self.allowed else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.is_preflight {
            self.answer_preflight(headers);
        } else {
            headers
                .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }

    /// The methods are those of the path.
    fn answer_preflight(&self, headers: &mut HeaderMap) {
        if let Some(allow) = headers.get(header::ALLOW).cloned() {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ACCEPTED));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        let listed = " https://App.example.org/, http://localhost:5173 ,https://a.example:443,\
                      capacitor://localhost,https://bücher.example,http://[::1]:80";
        let Origins(origins) = listed.parse().expect("origins");
        let written = [
            "https://app.example.org",
            "http://localhost:5173",
            "https://a.example",
            "capacitor://localhost",
            "https://xn--bcher-kva.example",
            "http://[::1]",
        ];
        assert_eq!(origins, written);
        let Origins(none) = "".parse().expect("no origins");
        assert!(none.is_empty());
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "*",
            "null",
            "example.org",
            "https://*.example.org",
            "https://example.org/app",
            "https://example.org?x",
            "https://example.org#x",
            "https://ada@example.org",
            "data:text/plain,x",
            "https://",
        ] {
            assert!(text.parse::<Origins>().is_err(), "{text}");
        }
    }
}
