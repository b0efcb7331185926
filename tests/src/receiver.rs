//! A receiver of webhooks, on a port of its own.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, web,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// A message that came.
#[derive(Debug, Clone)]
pub struct Message {
    /// The path that it was sent to.
    pub path: String,
    /// What identifies it.
    pub id: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// The body as JSON.
    pub json: Value,
    /// How many with this id came before.
    pub before: usize,
    /// When it came.
    pub at: Instant,
    /// The status that it was answered with.
    pub answered: u16,
}

impl Message {
    /// Whether a secret has signed it, as the reference implementation sees it.
    ///
    /// # Panics
    /// If the secret is none.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let webhook = standardwebhooks::Webhook::new(secret).unwrap();
        webhook.verify(&self.body, &self.headers).is_ok()
    }

    /// What it is about: `expense.created`.
    pub fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap_or_default()
    }
}

/// How a message is answered.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// A header.
    pub header: Option<(&'static str, String)>,
    /// How long it takes.
    pub takes: Duration,
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self { status, ..Self::default() }
    }
}

type Behaviour = dyn Fn(&Message) -> Reply + Send + Sync;

/// A receiver. It ends when this goes.
pub struct Receiver {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
    inbox: Arc<Mutex<Inbox>>,
    server: ServerHandle,
}

#[derive(Default)]
struct Inbox {
    messages: Vec<Message>,
    seen: BTreeMap<String, usize>,
}

impl Receiver {
    /// Starts one that answers as `behaviour` says.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(behaviour: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inbox: Arc<Mutex<Inbox>> = Arc::default();
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        let kept = inbox.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::from(kept.clone()))
                .app_data(web::Data::new(behaviour.clone()))
                .default_service(web::to(receive))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, inbox, server: handle }
    }

    /// Starts one that always answers with a status.
    pub fn answering(status: u16) -> Self {
        Self::start(move |_| status.into())
    }

    /// All that has come.
    ///
    /// # Panics
    /// Never.
    pub fn messages(&self) -> Vec<Message> {
        self.inbox.lock().unwrap().messages.clone()
    }

    /// How many messages have come.
    ///
    /// # Panics
    /// Never.
    pub fn count(&self) -> usize {
        self.inbox.lock().unwrap().messages.len()
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// If it takes too long.
    pub async fn until(&self, longest: Duration, is_so: impl Fn(&[Message]) -> bool) {
        let end = Instant::now() + longest;
        while !is_so(&self.inbox.lock().unwrap().messages) {
            assert!(Instant::now() < end, "{} messages after {longest:?}", self.count());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn receive(
    request: HttpRequest,
    body: web::Bytes,
    inbox: web::Data<Mutex<Inbox>>,
    behaviour: web::Data<Arc<Behaviour>>,
) -> HttpResponse {
    let at = Instant::now();
    let headers: HeaderMap = request
        .headers()
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
            (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        })
        .collect();
    let id = headers.get("webhook-id").map(|id| id.to_str().unwrap().to_owned());
    let reply = {
        let mut inbox = inbox.lock().unwrap();
        let id = id.unwrap_or_default();
        let seen = inbox.seen.entry(id.clone()).or_default();
        let before = std::mem::replace(seen, *seen + 1);
        let json = serde_json::from_slice(&body).unwrap_or_default();
        let path = request.path().to_owned();
        let body = body.to_vec();
        let mut message = Message { path, id, headers, body, json, before, at, answered: 0 };
        let reply = behaviour(&message);
        message.answered = reply.status;
        inbox.messages.push(message);
        reply
    };
    tokio::time::sleep(reply.takes).await;
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap());
    if let Some(header) = reply.header {
        response.insert_header(header);
    }
    response.body("so it is")
}
