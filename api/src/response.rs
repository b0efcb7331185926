//! Responses: a resource with its version, a page with the link to the next. The response of a POST
//! is made by a function of what it wrote, here, since it may have to be recorded
//! ([`crate::extract::Idempotent`]).

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, ContentType, EntityTag},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{error, idempotency, import::Imported, resource::Versioned, store::page::Page};
use sha2::{Digest, Sha256};
use utoipa::IntoResponses;

use crate::{extract::Fields, problem::Failure};

/// What a handler gives.
pub type Result<T> = std::result::Result<T, Failure>;

/// A whole response: it can be recorded, and replayed byte for byte.
#[derive(Serialize, Deserialize)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// A resource as it was just made, in the collection that was asked.
pub fn created<T: Versioned>(resource: &T, path: &str) -> error::Result<Response> {
    let location = format!("{path}/{}", resource.id());
    Ok(created_without_location(resource, path)?.with(header::LOCATION, location))
}

/// A resource as it was just made, somewhere else.
pub fn created_without_location<T: Versioned>(
    resource: &T,
    _path: &str,
) -> error::Result<Response> {
    versioned(StatusCode::CREATED, resource)
}

/// A resource as it is, or has just become.
pub fn ok<T: Versioned>(resource: &T, _path: &str) -> error::Result<Response> {
    versioned(StatusCode::OK, resource)
}

/// What was just made, and has no version.
pub fn created_json<T: Serialize>(value: &T, _path: &str) -> error::Result<Response> {
    Response::json(StatusCode::CREATED, value)
}

/// What has no version.
pub fn ok_json<T: Serialize>(value: &T, _path: &str) -> error::Result<Response> {
    Response::json(StatusCode::OK, value)
}

/// What an import did, or where one that has begun shows how far it is: beside the collection that it
/// goes into.
pub fn ok_or_accepted<R: Serialize>(value: &Imported<R>, path: &str) -> error::Result<Response> {
    match value {
        Imported::Done(report) => Response::json(StatusCode::OK, report),
        Imported::Begun(run) => {
            let organization = path.rsplitn(3, '/').last().unwrap_or_default();
            let location = format!("{organization}/imports/{}", run.id);
            Ok(Response::json(StatusCode::ACCEPTED, run)?.with(header::LOCATION, location))
        }
    }
}

/// Done, and nothing to say about it.
pub fn no_content((): &(), _path: &str) -> error::Result<Response> {
    Ok(Response {
        status: StatusCode::NO_CONTENT.as_u16(),
        headers: Vec::new(),
        body: String::new(),
    })
}

fn versioned<T: Versioned>(status: StatusCode, resource: &T) -> error::Result<Response> {
    tagged(status, resource, resource.version())
}

fn tagged<T: Serialize>(status: StatusCode, shown: &T, version: i64) -> error::Result<Response> {
    Ok(Response::json(status, shown)?.with(header::ETAG, format!("\"{version}\"")))
}

pub(crate) fn not_serializable(error: serde_json::Error) -> error::Error {
    error::Error::Internal(format!("an answer cannot be shown: {error}"))
}

impl Response {
    fn json<T: Serialize>(status: StatusCode, value: &T) -> error::Result<Self> {
        let body = serde_json::to_string(value).map_err(not_serializable)?;
        let response = Self { status: status.as_u16(), headers: Vec::new(), body };
        Ok(response.with(header::CONTENT_TYPE, "application/json"))
    }

    /// With a header.
    pub fn with(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name.as_str().to_owned(), value.into()));
        self
    }

    /// As it is recorded.
    pub(crate) fn to_recorded(&self) -> error::Result<idempotency::RecordedResponse> {
        Ok(idempotency::RecordedResponse(serde_json::to_vec(self).map_err(not_serializable)?))
    }

    /// From what was recorded.
    pub(crate) fn from_recorded(recorded: &idempotency::RecordedResponse) -> error::Result<Self> {
        serde_json::from_slice(&recorded.0).map_err(not_serializable)
    }
}

impl From<Response> for HttpResponse {
    fn from(Response { status, headers, body }: Response) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Self::build(status);
        for (name, value) in headers {
            response.insert_header((name, value));
        }
        if body.is_empty() { response.finish() } else { response.body(body) }
    }
}

impl fmt::Debug for Response {
    /// Without the body, which may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Response").field(&self.status).finish()
    }
}

/// A resource, with its version as a strong ETag.
#[derive(Debug)]
pub struct ResourceResponse<T>(pub T);

impl<T: Versioned> Responder for ResourceResponse<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        match self.shown(request) {
            Ok(response) => response.into(),
            Err(error) => HttpResponse::from_error(Failure::from(error)),
        }
    }
}

impl<T: Versioned> ResourceResponse<T> {
    fn shown(&self, request: &HttpRequest) -> error::Result<Response> {
        match Fields::of(request)? {
            None => ok(&self.0, request.path()),
            Some(fields) => tagged(StatusCode::OK, &fields.pick(&self.0)?, self.0.version()),
        }
    }
}

/// What reading answers where `If-None-Match` names what there is.
#[derive(Debug, IntoResponses)]
#[response(status = 304, description = "The client has it: If-None-Match names its ETag")]
pub struct NotModified;

/// A page, with the next one as `Link: rel="next"`, and a weak ETag.
#[derive(Debug)]
pub struct PageResponse<T>(pub Page<T>);

impl<T: Serialize> Responder for PageResponse<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let body = match self.shown(request) {
            Ok(body) => body,
            Err(error) => return HttpResponse::from_error(Failure::from(error)),
        };
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &self.0.next_cursor {
            response.insert_header((header::LINK, link_to_next(request, cursor)));
        }
        response.insert_header((header::ETAG, tag_of(&body)));
        response.content_type(ContentType::json()).body(body)
    }
}

impl<T: Serialize> PageResponse<T> {
    fn shown(&self, request: &HttpRequest) -> error::Result<Vec<u8>> {
        let Page { items, next_cursor } = &self.0;
        let body = match Fields::of(request)? {
            None => serde_json::to_vec(&self.0),
            Some(fields) => {
                let items =
                    items.iter().map(|item| fields.pick(item)).collect::<error::Result<Vec<_>>>();
                let page: Page<Value> = Page { items: items?, next_cursor: next_cursor.clone() };
                serde_json::to_vec(&page)
            }
        };
        body.map_err(not_serializable)
    }
}

/// A part of a feed, which says itself where to go on, with a weak ETag.
#[derive(Debug)]
pub struct FeedResponse<T>(pub T);

impl<T: Serialize> Responder for FeedResponse<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        let body = match serde_json::to_vec(&self.0) {
            Ok(body) => body,
            Err(error) => return HttpResponse::from_error(Failure::from(not_serializable(error))),
        };
        let mut response = HttpResponse::Ok();
        response.insert_header((header::ETAG, tag_of(&body)));
        response.content_type(ContentType::json()).body(body)
    }
}

/// The same query with the next cursor.
pub(crate) fn link_to_next(request: &HttpRequest, cursor: &str) -> String {
    let kept = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let cursor = format!("cursor={cursor}");
    let query: Vec<&str> = kept.chain([cursor.as_str()]).collect();
    format!("<{}?{}>; rel=\"next\"", request.path(), query.join("&"))
}

/// A tag of what is in a page. It follows from the page itself and not from a position in the log: a page shows what
/// was committed before that has its position, and what changes without an event, such as how long a timer has run.
pub(crate) fn tag_of(body: &[u8]) -> EntityTag {
    weak_tag(&Sha256::digest(body))
}

/// A weak tag of a digest, of which half is enough: 128 bits.
pub(crate) fn weak_tag(digest: &[u8]) -> EntityTag {
    let half = digest.iter().take(16).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    EntityTag::new_weak(half)
}
