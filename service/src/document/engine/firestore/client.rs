//! Requests to Firestore: each ends in time, and its answer has bounds.

use std::time::Duration;

use reqwest::{Client as Http, Response, StatusCode, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;

use super::{
    address::{Address, Names},
    failure::Failure,
    token::Tokens,
};
use crate::{
    clock::Clock,
    document::engine::CollectionId,
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
    tokens: Tokens,
}

/// What is told of a failure, as far as it is read: its name (`google.rpc.Code`).
#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    status: String,
}

#[derive(Default, Deserialize)]
struct Told {
    #[serde(default)]
    error: Status,
}

impl Client {
    pub(super) fn new(address: Address, timeout: Duration, clock: Clock) -> Result<Self> {
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
        let tokens = Tokens::of(&address.access, clock)?;
        Ok(Self { http, address, tokens })
    }

    pub(super) fn names(&self, id: CollectionId) -> Names {
        self.address.names(id)
    }

    /// Some documents by their names, as they are at one time, in any order: each as `found` or `missing`.
    pub(super) async fn get(&self, names: &[String]) -> Result<Vec<Value>, Failure> {
        let request = serde_json::json!({ "documents": names });
        self.send(&format!("{}:batchGet", self.address.documents()), &request).await
    }

    /// What a query of the documents of a collection finds.
    pub(super) async fn query(&self, names: &Names, query: &Value) -> Result<Vec<Value>, Failure> {
        let found: Vec<Value> = self.send(&format!("{}:runQuery", names.head()), query).await?;
        Ok(found.into_iter().filter_map(|row| member(row, "document")).collect())
    }

    /// Writes all of it or, if a precondition does not hold, nothing.
    pub(super) async fn commit(&self, request: &Value) -> Result<(), Failure> {
        let path = format!("{}:commit", self.address.documents());
        self.send::<Value>(&path, request).await.map(drop)
    }

    async fn send<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        request: &Value,
    ) -> Result<T, Failure> {
        let token = self.tokens.get(&self.http).await?;
        let request = self
            .http
            .post(format!("{}/v1/{path}", self.address.server))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(request.to_string());
        let response = request.send().await.map_err(|error| lost(&error))?;
        let status = response.status();
        let body = bounded(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|_| Failure::Lost("Firestore's answer was not understood"));
        }
        Err(refusal(status, &body))
    }
}

/// A member of an object, if there is one.
pub(super) fn member(mut object: Value, name: &str) -> Option<Value> {
    object.get_mut(name).map(Value::take)
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    // A query answers with a list, also of failures.
    let told = serde_json::from_slice::<Told>(body).ok();
    let told = told.or_else(|| serde_json::from_slice::<Vec<Told>>(body).ok()?.pop());
    let told = told.unwrap_or_default().error.status;
    match (status.as_u16(), told.as_str()) {
        (_, "FAILED_PRECONDITION" | "ALREADY_EXISTS" | "ABORTED" | "NOT_FOUND") => Failure::Raced,
        (401 | 403, _) => Failure::Refused,
        (413, _) => Failure::RequestTooLarge,
        (429, _) => Failure::Unavailable("Firestore has too much to do"),
        (500.., _) => Failure::Lost("Firestore has failed"),
        _ => Failure::Unavailable("Firestore did not take the request"),
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
        Failure::Unavailable("there was no connection to Firestore")
    } else if error.is_timeout() {
        Failure::Lost("Firestore did not answer in time")
    } else {
        Failure::Lost("Firestore's answer was broken off, or was not HTTP")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_name() {
        let told = |name: &str| format!(r#"{{"error":{{"code":1,"status":"{name}"}}}}"#);
        for (status, body, expected) in [
            (400, told("FAILED_PRECONDITION"), Failure::Raced),
            (409, told("ALREADY_EXISTS"), Failure::Raced),
            (409, told("ABORTED"), Failure::Raced),
            (404, told("NOT_FOUND"), Failure::Raced),
            (404, format!("[{}]", told("NOT_FOUND")), Failure::Raced),
            (403, told("PERMISSION_DENIED"), Failure::Refused),
            (401, String::new(), Failure::Refused),
            (413, "s3cr3t".to_owned(), Failure::RequestTooLarge),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(refusal(status, body.as_bytes()), expected, "{body}");
        }
        let status = StatusCode::SERVICE_UNAVAILABLE;
        assert!(matches!(refusal(status, b"s3cr3t"), Failure::Lost(_)));
        assert!(matches!(refusal(StatusCode::BAD_REQUEST, b"{}"), Failure::Unavailable(_)));
    }
}
