//! The HTTP client that telemetry is sent with.

use std::{
    future,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use futures_util::future::BoxFuture;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::redirect::Policy;
use service::outbound;
use tokio::runtime::{self, Handle};

use super::settings::{Signal, Target};

/// Sends one signal, and says once that it cannot be sent.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    sender: Handle,
    signal: Signal,
    is_failing: AtomicBool,
}

impl Client {
    /// For a target. What is sent with `sender` keeps nothing else waiting.
    ///
    /// # Errors
    /// If there can be no client.
    pub(super) fn new(target: &Target, sender: &Handle) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("steward/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(outbound::tls())
            .redirect(Policy::none())
            .referer(false)
            .timeout(target.timeout)
            .build()?;
        let is_failing = AtomicBool::new(false);
        Ok(Self { http, sender: sender.clone(), signal: target.signal, is_failing })
    }

    /// Tells in the log when sending begins to fail, and when it works again. Of the URL, nothing is told.
    fn tell(&self, result: &Result<Response<Bytes>, reqwest::Error>) {
        let signal = self.signal.as_str();
        let why = match result {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("answered with {}", response.status().as_u16())),
            Err(error) if error.is_timeout() => Some("it took too long".to_owned()),
            Err(error) if error.is_connect() => Some("there was no connection".to_owned()),
            Err(_) => Some("the answer was broken off, or was not HTTP".to_owned()),
        };
        let was_failing = self.is_failing.swap(why.is_some(), Ordering::Relaxed);
        match why {
            Some(why) if !was_failing => {
                tracing::warn!(signal, why, "telemetry cannot be sent, and is dropped meanwhile");
            }
            None if was_failing => tracing::info!(signal, "telemetry is sent again"),
            _ => {}
        }
    }
}

// Written out, as #[async_trait] would.
impl HttpClient for Client {
    fn send_bytes<'s, 'a>(
        &'s self,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Response<Bytes>, HttpError>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let request: reqwest::Request = request.try_into()?;
            // Whoever exports has a thread and no runtime.
            let answered = self.sender.spawn(send(self.http.clone(), request)).await?;
            self.tell(&answered);
            Ok(answered?)
        })
    }
}

async fn send(
    http: reqwest::Client,
    request: reqwest::Request,
) -> Result<Response<Bytes>, reqwest::Error> {
    let mut answer = http.execute(request).await?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut response = Response::new(answer.bytes().await?);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A thread that sends, as long as the process lives.
///
/// # Errors
/// If there can be none.
pub(super) fn sender() -> std::io::Result<Handle> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(future::pending::<()>());
    thread::Builder::new().name("otlp".to_owned()).spawn(run)?;
    Ok(handle)
}
