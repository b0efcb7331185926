//! A client as anybody would write it.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use service::random::Random;

use crate::{record::Record, steps::PASSWORD};

/// Someone who sends requests, with a token or without.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    servers: Servers,
    token: Option<String>,
    key: Option<String>,
    record: Option<Record>,
}

/// Where requests are sent: each to any of these.
#[derive(Debug, Clone)]
struct Servers {
    bases: Arc<[String]>,
    random: Random,
}

impl Servers {
    /// One or more, chosen in the same order for the same seed.
    fn of(bases: &[String], seed: u64) -> Self {
        Self { bases: bases.into(), random: Random::seeded(seed) }
    }

    fn next(&self) -> &str {
        let count = self.bases.len() as u64;
        &self.bases[usize::try_from(self.random.below(count)).unwrap_or_default()]
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub json: Value,
}

impl Client {
    /// A client without a token.
    ///
    /// # Panics
    /// If there can be none.
    pub fn new(base: &str) -> Self {
        let (http, servers) = (http().build().unwrap(), Servers::of(&[base.to_owned()], 0));
        Self { http, servers, token: None, key: None, record: None }
    }

    /// The same from elsewhere: `127.0.0.2` is another address than `127.0.0.1`.
    ///
    /// # Panics
    /// If there is no such address here.
    #[must_use]
    pub fn from_address(&self, address: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        Self { http: http().local_address(address).build().unwrap(), ..self.clone() }
    }

    /// The same with a token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same with an `Idempotency-Key` on all that it sends.
    #[must_use]
    pub fn keyed(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The same, and all that it and those that come of it send is put on record.
    #[must_use]
    pub fn recorded(&self, record: &Record) -> Self {
        Self { record: Some(record.clone()), ..self.clone() }
    }

    /// The same client at another server.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        self.among(&[base.to_owned()], 0)
    }

    /// The same client at several servers, which it changes at random from one request to the next, and so do
    /// those that come of it.
    #[must_use]
    pub fn among(&self, bases: &[String], seed: u64) -> Self {
        Self { servers: Servers::of(bases, seed), ..self.clone() }
    }

    /// Its token.
    ///
    /// # Panics
    /// If it has none.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    /// Registers a new user and logs in.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn sign_up(&self, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let email = format!("{}{count}@example.org", name.to_lowercase());
        self.sign_up_as(name, &email).await
    }

    /// Registers a new user with an address and logs in.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn sign_up_as(&self, name: &str, email: &str) -> Self {
        let user = json!({ "email": email, "display_name": name, "password": PASSWORD });
        self.post("/v1/users", user).await.expect(201);
        let session = self.log_in(email, PASSWORD).await.expect(201);
        self.with_token(session["token"].as_str().unwrap())
    }

    /// Makes an organization and gives its path.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn found(&self, kind: &str) -> String {
        let new = json!({ "kind": kind, "name": "Ours", "currency": "EUR" });
        let organization = self.post("/v1/organizations", new).await.expect(201);
        format!("/v1/organizations/{}", organization["id"].as_str().unwrap())
    }

    /// Invites a new user into the organization of that path and lets them accept.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn invite(&self, organization: &str, role: &str) -> Self {
        let invited = Self { token: None, ..self.clone() }.sign_up(role).await;
        self.bring(&invited, organization, role).await;
        invited
    }

    /// The same with an address.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn invite_as(&self, organization: &str, role: &str, email: &str) -> Self {
        let invited = Self { token: None, ..self.clone() }.sign_up_as(role, email).await;
        self.bring(&invited, organization, role).await;
        invited
    }

    /// Invites a user, who accepts.
    async fn bring(&self, invited: &Self, organization: &str, role: &str) {
        let path = format!("{organization}/invitations");
        let invitation = self.post(&path, json!({ "role": role })).await.expect(201);
        let token = invitation["token"].as_str().unwrap();
        invited.post(&format!("/v1/invitations/{token}/accept"), json!({})).await.expect(201);
    }

    /// A whole request as it goes over the wire, for [`crate::wire`]. The server closes the
    /// connection after it.
    pub fn written(&self, method: &str, path: &str, content_type: &str, body: &str) -> String {
        let token = self.token.as_deref().unwrap_or_default();
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: steward\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
             \r\n{body}"
        )
    }

    /// Sends a request with a body of JSON, if there is one.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let bytes = body.map(|body| body.to_string().into_bytes());
        self.send_bytes(method, path, "application/json", bytes, &[]).await
    }

    /// Sends a request with any body and further headers.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = body.clone() {
            request = request.header("content-type", content_type).body(body);
        }
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.header(name, HeaderValue::from_str(value).unwrap());
        }
        let answer = Answer::of(request).await.unwrap();
        if let Some(record) = &self.record {
            record.add((&method, path), &headers, body.as_deref(), &answer);
        }
        answer
    }

    /// POST to a server that may go away: nothing if no whole answer comes.
    pub async fn try_post(&self, path: &str, body: Value) -> Option<Answer> {
        Answer::of(self.request(Method::POST, path).json(&body)).await.ok()
    }

    /// PATCH to a server that may go away: nothing if no whole answer comes.
    pub async fn try_patch(&self, path: &str, body: Value) -> Option<Answer> {
        Answer::of(self.request(Method::PATCH, path).json(&body)).await.ok()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.servers.next())
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, self.url(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        request
    }

    /// GET of an answer that goes on, after an event that was seen.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn stream(&self, path: &str, last_event_id: Option<&str>) -> reqwest::Response {
        self.try_stream(path, last_event_id).await.unwrap()
    }

    /// The same from a server that may go away.
    pub(crate) async fn try_stream(
        &self,
        path: &str,
        last_event_id: Option<&str>,
    ) -> reqwest::Result<reqwest::Response> {
        let mut request = self.http.get(self.url(path));
        request = request.bearer_auth(self.token.as_deref().unwrap_or_default());
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        request.send().await
    }

    /// GET with these codings accepted: the headers, and the body as it was sent.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn get_coded(&self, path: &str, codings: &str) -> (HeaderMap, Vec<u8>) {
        let request = self.request(Method::GET, path).header("accept-encoding", codings);
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        (headers, response.bytes().await.unwrap().to_vec())
    }

    /// GET from a server that may go away: nothing if no whole answer comes.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        let request = self.http.get(self.url(path));
        let token = self.token.as_deref().unwrap_or_default();
        Answer::of(request.bearer_auth(token)).await.ok()
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// GET of what is computed for this request, whatever is cached.
    pub async fn get_anew(&self, path: &str) -> Answer {
        let headers = [("cache-control", "no-cache")];
        self.send_bytes(Method::GET, path, "", None, &headers).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// POST of a CSV file to a server that may go away: nothing if no whole answer comes.
    pub async fn try_upload(&self, path: &str, csv: impl Into<Vec<u8>>) -> Option<Answer> {
        let request = self.request(Method::POST, path).header("content-type", "text/csv");
        Answer::of(request.body(csv.into())).await.ok()
    }

    /// POST of a file that belongs to something.
    pub async fn attach(&self, path: &str, name: &str, content: impl Into<Vec<u8>>) -> Answer {
        let disposition = format!("attachment; filename=\"{name}\"");
        let headers = [("content-disposition", &*disposition)];
        let (path, body) = (format!("{path}/attachments"), Some(content.into()));
        self.send_bytes(Method::POST, &path, "application/octet-stream", body, &headers).await
    }

    /// GET of bytes, with headers: the status, the headers, and the body as it is.
    ///
    /// # Panics
    /// If no whole answer comes.
    pub async fn get_bytes(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request =
            headers.iter().fold(self.request(Method::GET, path), |request, (name, value)| {
                request.header(*name, *value)
            });
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, response.bytes().await.unwrap().to_vec())
    }

    /// POST of a CSV file.
    pub async fn upload(&self, path: &str, csv: impl Into<Vec<u8>>) -> Answer {
        self.send_bytes(Method::POST, path, "text/csv", Some(csv.into()), &[]).await
    }
}

fn http() -> reqwest::ClientBuilder {
    // Shorter than the server's keep-alive: no request meets a connection that is just closing.
    let http = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(2));
    http.tls_backend_preconfigured(service::outbound::tls())
}

impl Answer {
    /// After how many seconds to try again.
    ///
    /// # Panics
    /// If the answer does not say it.
    pub fn retry_after(&self) -> u64 {
        self.headers["retry-after"].to_str().unwrap().parse().unwrap()
    }

    async fn of(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let endless = headers.get("content-type").is_some_and(|it| it == "text/event-stream");
        let text = if endless { Self::beginning(response).await? } else { response.text().await? };
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { status, headers, text, json })
    }

    /// Whether this was given before.
    pub fn is_replayed(&self) -> bool {
        self.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
    }

    /// What a stream says first, up to the first blank line.
    async fn beginning(mut response: reqwest::Response) -> reqwest::Result<String> {
        let mut text = String::new();
        while !text.contains("\n\n") {
            let Some(chunk) = response.chunk().await? else { break };
            text += &String::from_utf8_lossy(&chunk);
        }
        Ok(text)
    }

    /// The body, if the status is this one.
    ///
    /// # Panics
    /// If it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json
    }

    /// A problem with this status and code.
    ///
    /// # Panics
    /// If it is another, or no well-formed problem document.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        let media_type = self.headers.get("content-type").map(HeaderValue::as_bytes);
        assert_eq!(media_type, Some(&b"application/problem+json"[..]), "{}", self.text);
        let request_id = self.headers.get("x-request-id").and_then(|id| id.to_str().ok());
        assert_eq!(self.json["request_id"].as_str(), request_id, "{}", self.text);
        assert_eq!(self.json["code"], code, "{}", self.text);
        assert_eq!(self.json["status"], status, "{}", self.text);
        assert_eq!(self.json["type"], format!("urn:steward:problem:{code}"), "{}", self.text);
        self.expect(status)
    }

    /// The pointers of a 422's violations.
    ///
    /// # Panics
    /// If it is no 422.
    #[track_caller]
    pub fn expect_violations(self) -> Vec<String> {
        let problem = self.expect_problem(422, "invalid");
        let violations = problem["violations"].as_array().expect("a 422 says what is wrong");
        let pointer = |violation: &Value| violation["pointer"].as_str().unwrap().to_owned();
        violations.iter().map(pointer).collect()
    }
}
