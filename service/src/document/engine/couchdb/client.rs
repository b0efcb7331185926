//! Requests to a CouchDB: each ends in time, and its answer has bounds.

use std::time::Duration;

use reqwest::{
    Client as Http, Method, RequestBuilder, Response, StatusCode, Url, redirect::Policy,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{super::CREDENTIALS_REFUSED, url::Address};
use crate::{
    error::{Error, Result},
    outbound,
};

/// How long a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How much of an answer is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

pub(super) struct Client {
    http: Http,
    address: Address,
}

/// What came back, and is neither a refusal of steward nor a failure of the server.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Vec<u8>,
}

/// Why there is no answer. It holds nothing that the server said.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was done.
    Unavailable(&'static str),
    /// What was asked for may have been done.
    Lost(String),
    /// The answer is larger than what is read.
    AnswerTooLarge,
    /// The request is larger than what the server reads.
    RequestTooLarge,
    /// The server does not let steward in.
    Refused,
}

impl Failure {
    /// The error, where the request wrote nothing.
    pub(super) fn of_read(self) -> Error {
        match self {
            Self::Lost(why) => Error::Unavailable(why),
            Self::AnswerTooLarge => Error::Unavailable("CouchDB's answer was too large".to_owned()),
            other => other.of_write(),
        }
    }

    /// The error, where the request may have written something.
    pub(super) fn of_write(self) -> Error {
        match self {
            Self::Unavailable(why) => Error::Unavailable(why.to_owned()),
            Self::Lost(why) => Error::OutcomeUnknown(why),
            Self::AnswerTooLarge => {
                Error::OutcomeUnknown("CouchDB's answer was too large".to_owned())
            }
            Self::RequestTooLarge => {
                Error::invalid("/body", "too_large", "is larger than the document store takes")
            }
            Self::Refused => Error::NotConfigured {
                code: CREDENTIALS_REFUSED,
                detail: "the document store refuses the credentials of this installation".into(),
            },
        }
    }
}

impl Answer {
    /// The body; none if the database is not there.
    pub(super) fn found<T: DeserializeOwned>(self) -> Result<Option<T>, Failure> {
        if self.status == StatusCode::NOT_FOUND { Ok(None) } else { self.json().map(Some) }
    }

    /// The body.
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        if !self.status.is_success() {
            return Err(Failure::Unavailable("CouchDB did not take the request"));
        }
        let unreadable = || Failure::Lost("CouchDB's answer was not understood".to_owned());
        serde_json::from_slice(&self.body).map_err(|_| unreadable())
    }
}

impl Client {
    pub(super) fn new(address: Address, timeout: Duration) -> Result<Self> {
        let http = Http::builder()
            .user_agent(concat!("steward/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(outbound::tls())
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .build()
            .map_err(|error| Error::Internal(format!("no requests can be made: {error}")))?;
        Ok(Self { http, address })
    }

    /// How the names of the databases begin.
    pub(super) fn prefix(&self) -> &str {
        &self.address.prefix
    }

    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        self.send(self.http.get(url)).await
    }

    pub(super) async fn post(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Answer, Failure> {
        self.post_to(self.url(path), body).await
    }

    /// The same with a query.
    pub(super) async fn post_with(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<Answer, Failure> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        self.post_to(url, body).await
    }

    async fn post_to(&self, url: Url, body: &impl Serialize) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(body).map_err(|_| Failure::Unavailable("no JSON"))?;
        let request = self.http.post(url).header("content-type", "application/json");
        self.send(request.body(body)).await
    }

    pub(super) async fn put(&self, path: &[&str]) -> Result<Answer, Failure> {
        self.send(self.http.request(Method::PUT, self.url(path))).await
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.address.base.clone();
        // It has a host, and so it has segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        // A server that may choose would answer in several parts.
        let response = request.header("accept", "application/json").send().await;
        let response = response.map_err(|error| lost(&error))?;
        let status = response.status();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::Refused),
            StatusCode::PAYLOAD_TOO_LARGE => Err(Failure::RequestTooLarge),
            StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Unavailable("CouchDB has too much to do"))
            }
            _ if status.is_redirection() => Err(Failure::Unavailable("CouchDB sends elsewhere")),
            _ if status.is_server_error() => {
                Err(Failure::Lost(format!("CouchDB answered with {}", status.as_u16())))
            }
            _ => Ok(Answer { status, body: bounded(response).await? }),
        }
    }
}

/// A whole body, unless it is too large.
async fn bounded(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Failure::AnswerTooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Of the error, which may hold the URL, nothing is told.
fn lost(error: &reqwest::Error) -> Failure {
    if error.is_connect() {
        Failure::Unavailable("there was no connection to CouchDB")
    } else if error.is_timeout() {
        Failure::Lost("CouchDB did not answer in time".to_owned())
    } else {
        Failure::Lost("CouchDB's answer was broken off, or was not HTTP".to_owned())
    }
}
