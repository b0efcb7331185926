//! Requests over HTTP to addresses that users give: the one way in which steward makes them.
//!
//! Whoever may enter an address could otherwise reach what only this machine can: the database, the
//! cloud's metadata, the router. So an address is checked at the moment of the connection, by the
//! connection's own resolver, and only addresses that were checked are connected to; a name that
//! means something else a moment later gains nothing. Redirects are not followed.

pub mod address;
mod allow;
mod resolver;

use std::{error::Error as _, io, net::IpAddr, sync::Arc, time::Duration};

use reqwest::{Client, redirect::Policy};
use tracing::{Instrument, Span, field::Empty};
use url::{Host, Url};

use crate::{
    error::{Error, Result},
    trace::{self, TARGET},
};
use address::Class;
pub use allow::{Allow, NotAnAllowList};
pub use resolver::Lookup;
use resolver::{Refused, Resolver};

/// How long a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Who makes requests to addresses that users give. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: Client,
    allow: Arc<Allow>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status; never of a redirect.
    pub status: u16,
    /// `Retry-After` as it was sent: seconds or a date.
    pub retry_after: Option<String>,
    /// The beginning of the body, [64 KiB](MAX_BODY_BYTES) at most.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status says that it was accepted.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer. It holds nothing of the URL, which may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Not a URL that is called.
    #[error("{0}")]
    Url(&'static str),
    /// The address is one that users may not reach.
    #[error("the address is {0}")]
    Refused(Class),
    /// The name has no address.
    #[error("the name has no address")]
    Name,
    /// It took too long.
    #[error("it took too long")]
    Timeout,
    /// There was no connection.
    #[error("there was no connection")]
    Connect,
    /// The other side did not show who it is.
    #[error("the certificate was refused, or TLS failed")]
    Tls,
    /// The answer sends elsewhere, and nobody goes there.
    #[error("the answer was a redirect ({0}), which is not followed")]
    Redirect(u16),
    /// The connection broke, or the answer was not HTTP.
    #[error("the answer was broken off, or was not HTTP")]
    Broken,
}

impl OutboundError {
    /// One word for it, which stays the same.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Url(_) => "invalid_url",
            Self::Refused(_) => "refused_address",
            Self::Name => "unknown_name",
            Self::Timeout => "timeout",
            Self::Connect => "no_connection",
            Self::Tls => "tls_failed",
            Self::Redirect(_) => "redirected",
            Self::Broken => "broken_answer",
        }
    }
}

impl Outbound {
    /// Looks names up as the machine does.
    ///
    /// # Errors
    /// If there can be no client.
    pub fn new(allow: Allow) -> Result<Self> {
        Self::with_lookup(allow, resolver::system())
    }

    /// Looks names up with `lookup`.
    ///
    /// # Errors
    /// If there can be no client.
    pub fn with_lookup(allow: Allow, lookup: Lookup) -> Result<Self> {
        let allow = Arc::new(allow);
        let client = Client::builder()
            .user_agent(concat!("steward/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls())
            .dns_resolver(Arc::new(Resolver { allow: allow.clone(), lookup }))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| Error::Internal(format!("no requests can be made: {error}")))?;
        Ok(Self { client, allow })
    }

    /// Sends `body` to a URL, and gives what comes back within `timeout`.
    ///
    /// # Errors
    /// Where nothing came back, or a redirect.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Response, OutboundError> {
        let url = parse(url)?;
        let span = call_span(&url);
        let answer = self.send(&span, url, headers, body, timeout).instrument(span.clone()).await;
        match &answer {
            Ok(Response { status, .. }) | Err(OutboundError::Redirect(status)) => {
                span.record("http.response.status_code", i64::from(*status));
                if *status >= 400 {
                    span.record("error.type", status.to_string());
                    span.record("otel.status_code", "ERROR");
                }
            }
            Err(error) => {
                span.record("error.type", error.word());
                span.record("otel.status_code", "ERROR");
            }
        }
        answer
    }

    async fn send(
        &self,
        span: &Span,
        url: Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Response, OutboundError> {
        self.check_literal(&url)?;
        let request = self.client.post(url).timeout(timeout).body(body);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let request = match trace::traceparent(span) {
            Some(traceparent) => request.header("traceparent", traceparent),
            None => request,
        };
        let response = request.send().await.map_err(|error| why(&error))?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(OutboundError::Redirect(status));
        }
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| Some(value.to_str().ok()?.to_owned()));
        Ok(Response { status, retry_after, body: beginning(response).await? })
    }

    /// An address in the URL itself goes by no resolver.
    fn check_literal(&self, url: &Url) -> Result<(), OutboundError> {
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(OutboundError::Url("must have a host")),
        };
        self.allow.check(address).map_err(OutboundError::Refused)
    }
}

/// The span of a call. Of the URL, which may hold a secret, it has the host alone.
fn call_span(url: &Url) -> Span {
    tracing::debug_span!(
        target: TARGET,
        "call",
        otel.name = "POST",
        otel.kind = "client",
        http.request.method = "POST",
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        http.response.status_code = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    )
}

/// A URL that could be called: what can be said without looking its name up.
///
/// # Errors
/// [`OutboundError::Url`], with the reason.
pub fn parse(url: &str) -> Result<Url, OutboundError> {
    let url = Url::parse(url).map_err(|_| OutboundError::Url("must be an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(OutboundError::Url("must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutboundError::Url("must not contain a user name or a password"));
    }
    if url.host().is_none() {
        return Err(OutboundError::Url("must have a host"));
    }
    Ok(url)
}

/// TLS as it is made everywhere in steward: the same provider and the same certificate authorities
/// on every machine.
pub fn tls() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    #[expect(clippy::expect_used, reason = "it is the provider's own list of versions")]
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has its default versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The beginning of a body. The rest is not read: the connection ends with it.
async fn beginning(mut response: reqwest::Response) -> Result<Vec<u8>, OutboundError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
        let room = MAX_BODY_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Ok(body)
}

fn why(error: &reqwest::Error) -> OutboundError {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return refused.0;
        }
        if cause.is::<rustls::Error>() {
            return OutboundError::Tls;
        }
        // An io::Error gives the source of what it wraps, and not that itself.
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| inner as _).or_else(|| cause.source());
    }
    if error.is_timeout() {
        OutboundError::Timeout
    } else if error.is_connect() {
        OutboundError::Connect
    } else {
        OutboundError::Broken
    }
}

#[cfg(test)]
mod tests;
