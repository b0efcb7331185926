use std::{
    future::Future,
    io::{Read, Write},
    marker::PhantomData,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::{StatusCode, header},
    web,
};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt;
use serde_json::Value;
use service::{
    input::{self, Change, FromBody, patch::Patch},
    meter::reading::ReadingsBody,
    resource::Resource,
    store::log::EventContext,
};
use tempfile::NamedTempFile;
use tokio::time::timeout;

use super::idempotent::BodyDigest;
use crate::{intake::Reservation, problem::Failure, state::State};

/// A body of JSON.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: FromBody> FromRequest for Body<T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let value = json(request, payload, JSON, T::EXACT);
        Box::pin(async move { Ok(Self(T::from_body(value.await?)?)) })
    }
}

/// A body of whatever bytes.
#[derive(Debug)]
pub struct RawBody {
    /// What it is, if the client says so.
    pub content_type: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl FromRequest for RawBody {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let content_type = request.headers().get(header::CONTENT_TYPE);
            let content_type =
                content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
            let bytes = read(&request, payload).await?.to_vec();
            Ok(Self { content_type, bytes })
        })
    }
}

/// A body of an operation of a resource: what the resource keeps to the letter is read so.
#[derive(Debug)]
pub struct BodyOf<R, T> {
    /// The body.
    pub body: T,
    of: PhantomData<fn() -> R>,
}

impl<R: Resource, T: FromBody> FromRequest for BodyOf<R, T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let value = json(request, payload, JSON, R::VERBATIM);
        Box::pin(async move { Ok(Self { body: T::from_body(value.await?)?, of: PhantomData }) })
    }
}

/// A change of a resource: a merge patch, or a JSON Patch (RFC 6902).
#[derive(Debug)]
pub struct PatchOf<R, T> {
    /// The change.
    pub change: Change<T>,
    of: PhantomData<fn() -> R>,
}

impl<R: Resource, T: 'static> FromRequest for PatchOf<R, T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if is_media_type(request, JSON_PATCH) {
            let value = json(request, payload, JSON_PATCH, Patch::EXACT);
            return Box::pin(async move {
                Ok(Self { change: Patch::read(value.await?)?.into(), of: PhantomData })
            });
        }
        let value = json(request, payload, JSON, R::VERBATIM);
        Box::pin(
            async move { Ok(Self { change: Change::from_body(value.await?)?, of: PhantomData }) },
        )
    }
}

const JSON: &[&str] = &["application/json", "application/merge-patch+json"];
const JSON_PATCH: &[&str] = &["application/json-patch+json"];

/// Readings of a meter: as JSON, as lines of JSON, or as CSV.
#[derive(Debug)]
pub struct Readings(pub ReadingsBody);

const NDJSON: &[&str] = &["application/x-ndjson"];
const CSV: &[&str] = &["text/csv"];

impl FromRequest for Readings {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload).await?;
            let is = |media_types| is_media_type(&request, media_types);
            let body = match (is(NDJSON), is(CSV)) {
                (true, _) => ReadingsBody::JsonLines(bytes.to_vec()),
                (_, true) => ReadingsBody::Csv(bytes.to_vec()),
                _ if bytes.is_empty() || is(JSON) => ReadingsBody::of_json(&bytes)?,
                _ => {
                    return Err(Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail(
                        "the body must be application/json, application/x-ndjson or text/csv",
                    ));
                }
            };
            Ok(Self(body))
        })
    }
}

/// A body as JSON, of which some members are exact.
fn json(
    request: &HttpRequest,
    payload: &mut Payload,
    media_types: &[&str],
    exact: &'static [&'static str],
) -> impl Future<Output = Result<Value, Failure>> + use<> {
    let expected = is_media_type(request, media_types);
    let (request, payload) = (request.clone(), payload.take());
    async move {
        let bytes = read(&request, payload).await?;
        if !bytes.is_empty() && !expected {
            return Err(Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .detail("the body must be JSON, with Content-Type: application/json"));
        }
        Ok(input::parse(&bytes, exact)?)
    }
}

/// Whether a request's body is still being read: then nothing of what it asks for was begun.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading(Arc<ReadingState>);

#[derive(Debug, Default)]
struct ReadingState {
    under_way: AtomicBool,
    received: AtomicU64,
}

impl Reading {
    /// That of a request.
    pub(super) fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed)
    }

    /// How many bytes of files were received.
    pub(crate) fn received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) {
        self.0.under_way.store(true, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.0.under_way.store(false, Ordering::Relaxed);
    }

    /// Some more of a file was received: as long as enough is, the request may take its time.
    pub(super) fn progress(&self, bytes: usize) {
        self.0.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn set(request: &HttpRequest, under_way: bool) {
        let reading = Self::of(request);
        if under_way { reading.begin() } else { reading.end() }
    }
}

/// How many bytes a body may have from somebody who is not authenticated.
const UNAUTHENTICATED_BYTES: usize = 16 * 1024;

/// A whole body, as it is.
async fn read(request: &HttpRequest, payload: Payload) -> Result<web::BytesMut, Failure> {
    let state = state(request)?;
    let limit = limit(request, &state);
    if announced(request).is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    require_plain(request)?;
    read_coded(request, payload).await
}

/// How many bytes a body may have.
fn limit(request: &HttpRequest, state: &State) -> usize {
    let limit = state.settings.limits.body_bytes;
    match is_authenticated(request) {
        true => limit,
        false => limit.min(UNAUTHENTICATED_BYTES),
    }
}

/// Who is authenticated stands in front of the body in every signature.
fn is_authenticated(request: &HttpRequest) -> bool {
    request.extensions().contains::<EventContext>()
}

fn too_large(limit: usize) -> Failure {
    let detail = format!("the body must have at most {limit} bytes");
    Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE).detail(detail)
}

/// A whole body in whatever coding. It is counted among those that are held until its request is answered.
async fn read_coded(request: &HttpRequest, mut payload: Payload) -> Result<web::BytesMut, Failure> {
    let state = state(request)?;
    let (limits, limit) = (state.settings.limits, limit(request, &state));
    let authenticated = is_authenticated(request);
    if announced(request).is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let digest = BodyDigest::of(request);
    let (mut bytes, mut reserved) = (web::BytesMut::new(), Reservation::default());
    Reading::set(request, true);
    let reading = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error: PayloadError| unread(&error.into()))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            state.intake.reserve(&mut reserved, chunk.len(), authenticated)?;
            digest.update(&chunk);
            bytes.extend_from_slice(&chunk);
        }
        Ok::<(), Failure>(())
    };
    timeout(limits.body_timeout, reading).await.unwrap_or_else(|_| Err(too_slow()))?;
    Reading::set(request, false);
    request.extensions_mut().insert(reserved);
    Ok(bytes)
}

pub(super) fn state(request: &HttpRequest) -> Result<web::Data<State>, Failure> {
    let state = request.app_data::<web::Data<State>>().cloned();
    state.ok_or_else(|| service::Error::Internal("there is no state".into()).into())
}

/// How many bytes the client says that it sends.
pub(super) fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn too_slow() -> Failure {
    Failure::of_status(StatusCode::REQUEST_TIMEOUT).detail("the body was not received in time")
}

/// A body in a coding is not read: how much memory it takes to decompress is not known before.
pub(super) fn require_plain(request: &HttpRequest) -> Result<(), Failure> {
    let mut codings = request.headers().get_all(header::CONTENT_ENCODING);
    match codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        true => Ok(()),
        false => Err(Failure::unsupported_coding()),
    }
}

pub(super) fn is_media_type(request: &HttpRequest, wanted: &[&str]) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    wanted.iter().any(|wanted| essence.eq_ignore_ascii_case(wanted))
}

fn unread(error: &actix_web::Error) -> Failure {
    let status = error.as_response_error().status_code();
    Failure::of_status(status).detail("the body could not be read")
}

/// A body of text, which may be compressed with gzip: what it is then is bounded as what is sent is.
#[derive(Debug)]
pub(crate) struct BodyText(pub(crate) String);

impl FromRequest for BodyText {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let is_gzip = is_gzip(&request);
            if !is_gzip {
                require_plain(&request)?;
            }
            let sent = read_coded(&request, payload).await?.to_vec();
            let bytes = if is_gzip { unzipped(&request, &sent)? } else { sent };
            let no_text = |_| service::Error::invalid("", "encoding", "must be UTF-8").into();
            String::from_utf8(bytes).map(Self).map_err(no_text)
        })
    }
}

fn is_gzip(request: &HttpRequest) -> bool {
    let coding = request.headers().get(header::CONTENT_ENCODING);
    coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"))
}

fn unzipped(request: &HttpRequest, sent: &[u8]) -> Result<Vec<u8>, Failure> {
    let state = state(request)?;
    let limit = limit(request, &state);
    let mut reserved = request.extensions_mut().remove::<Reservation>().unwrap_or_default();
    state.intake.reserve(&mut reserved, limit, is_authenticated(request))?;
    request.extensions_mut().insert(reserved);
    let mut bytes = Vec::new();
    // One more than may be, so that it is noticed.
    let mut plain = MultiGzDecoder::new(sent).take(limit as u64 + 1);
    let broken = |_| service::Error::invalid("", "encoding", "must be what gzip has made");
    plain.read_to_end(&mut bytes).map_err(broken)?;
    match bytes.len() > limit {
        true => Err(too_large(limit)),
        false => Ok(bytes),
    }
}

/// A file of CSV, in a temporary file that goes when this goes.
#[derive(Debug)]
pub struct Upload {
    /// The file.
    pub file: NamedTempFile,
    charset: Option<String>,
}

impl Upload {
    /// Its encoding: what the query says, or else the Content-Type.
    pub fn encoding(&self, asked: Option<String>) -> Option<String> {
        asked.or_else(|| self.charset.clone())
    }
}

impl FromRequest for Upload {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let expected = is_media_type(request, &["text/csv"]);
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limits = state(&request)?.settings.limits;
            let limit = limits.upload_bytes;
            let digest = BodyDigest::of(&request);
            if !expected {
                return Err(Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                    .detail("the body must be CSV, with Content-Type: text/csv"));
            }
            require_plain(&request)?;
            let mut file = NamedTempFile::new().map_err(full)?;
            let mut size = 0;
            Reading::set(&request, true);
            while let Some(chunk) =
                timeout(limits.body_timeout, payload.next()).await.map_err(|_| too_slow())?
            {
                let chunk = chunk.map_err(|error: PayloadError| unread(&error.into()))?;
                size += chunk.len();
                if size > limit {
                    return Err(Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE)
                        .detail(format!("the file must have at most {limit} bytes")));
                }
                digest.update(&chunk);
                file.write_all(&chunk).map_err(full)?;
            }
            Reading::set(&request, false);
            Ok(Self { file, charset: charset(&request) })
        })
    }
}

/// The `charset` of a request's Content-Type.
fn charset(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = text.split(';').skip(1).filter_map(|it| it.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(charset.trim().trim_matches('"').to_owned())
}

fn full(error: std::io::Error) -> Failure {
    service::Error::Unavailable(format!("a temporary file: {error}")).into()
}
