//! Answers: a resource with its version, a page with the way to the next. What a POST answers is
//! made by a function of what it wrote, here, since it may have to be kept ([`crate::extract::Once`]).

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{StatusCode, header},
};
use serde::{Deserialize, Serialize};
use service::{error, idempotency, import::Imported, resource::Versioned, store::page::Page};
use utoipa::IntoResponses;

use crate::problem::Failure;

/// What a handler gives.
pub type Result<T> = std::result::Result<T, Failure>;

/// An answer as a whole: it can be kept, and given again byte for byte.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// A resource as it was just made, in the collection that was asked.
pub fn created<T: Versioned>(resource: &T, path: &str) -> error::Result<Answer> {
    let location = format!("{path}/{}", resource.id());
    Ok(created_elsewhere(resource, path)?.with(header::LOCATION, location))
}

/// A resource as it was just made, somewhere else.
pub fn created_elsewhere<T: Versioned>(resource: &T, _path: &str) -> error::Result<Answer> {
    versioned(StatusCode::CREATED, resource)
}

/// A resource as it is, or has just become.
pub fn found<T: Versioned>(resource: &T, _path: &str) -> error::Result<Answer> {
    versioned(StatusCode::OK, resource)
}

/// What was just made, and has no version.
pub fn made<T: Serialize>(value: &T, _path: &str) -> error::Result<Answer> {
    Answer::json(StatusCode::CREATED, value)
}

/// What has no version.
pub fn told<T: Serialize>(value: &T, _path: &str) -> error::Result<Answer> {
    Answer::json(StatusCode::OK, value)
}

/// What an import did, or where one that has begun shows how far it is: beside the collection that it
/// goes into.
pub fn imported<R: Serialize>(value: &Imported<R>, path: &str) -> error::Result<Answer> {
    match value {
        Imported::Done(report) => Answer::json(StatusCode::OK, report),
        Imported::Begun(run) => {
            let organization = path.rsplitn(3, '/').last().unwrap_or_default();
            let location = format!("{organization}/imports/{}", run.id);
            Ok(Answer::json(StatusCode::ACCEPTED, run)?.with(header::LOCATION, location))
        }
    }
}

/// Done, and nothing to say about it.
pub fn nothing((): &(), _path: &str) -> error::Result<Answer> {
    Ok(Answer { status: StatusCode::NO_CONTENT.as_u16(), headers: Vec::new(), body: String::new() })
}

fn versioned<T: Versioned>(status: StatusCode, resource: &T) -> error::Result<Answer> {
    let etag = format!("\"{}\"", resource.version());
    Ok(Answer::json(status, resource)?.with(header::ETAG, etag))
}

fn shown(error: serde_json::Error) -> error::Error {
    error::Error::Internal(format!("an answer cannot be shown: {error}"))
}

impl Answer {
    fn json<T: Serialize>(status: StatusCode, value: &T) -> error::Result<Self> {
        let body = serde_json::to_string(value).map_err(shown)?;
        let answer = Self { status: status.as_u16(), headers: Vec::new(), body };
        Ok(answer.with(header::CONTENT_TYPE, "application/json"))
    }

    /// With a header.
    pub fn with(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name.as_str().to_owned(), value.into()));
        self
    }

    /// As it is kept.
    pub(crate) fn kept(&self) -> error::Result<idempotency::Answer> {
        Ok(idempotency::Answer(serde_json::to_vec(self).map_err(shown)?))
    }

    /// As it was kept.
    pub(crate) fn of_kept(kept: &idempotency::Answer) -> error::Result<Self> {
        serde_json::from_slice(&kept.0).map_err(shown)
    }
}

impl From<Answer> for HttpResponse {
    fn from(Answer { status, headers, body }: Answer) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Self::build(status);
        for (name, value) in headers {
            response.insert_header((name, value));
        }
        if body.is_empty() { response.finish() } else { response.body(body) }
    }
}

impl fmt::Debug for Answer {
    /// Without the body, which may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").field(&self.status).finish()
    }
}

/// A resource, with its version as a strong ETag.
#[derive(Debug)]
pub struct Resource<T>(T);

impl<T> Resource<T> {
    /// As it is.
    pub fn found(resource: T) -> Self {
        Self(resource)
    }
}

impl<T: Versioned> Responder for Resource<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        match found(&self.0, request.path()) {
            Ok(answer) => answer.into(),
            Err(error) => HttpResponse::from_error(Failure::from(error)),
        }
    }
}

/// What reading a resource answers where `If-None-Match` names the version that it has.
#[derive(Debug, IntoResponses)]
#[response(status = 304, description = "The resource still has the version in If-None-Match")]
pub struct Unchanged;

/// A page, with the next one as `Link: rel="next"`.
#[derive(Debug)]
pub struct Listed<T>(pub Page<T>);

impl<T: Serialize> Responder for Listed<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &self.0.next_cursor {
            let kept = request
                .query_string()
                .split('&')
                .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
            let cursor = format!("cursor={cursor}");
            let query: Vec<&str> = kept.chain([cursor.as_str()]).collect();
            let link = format!("<{}?{}>; rel=\"next\"", request.path(), query.join("&"));
            response.insert_header((header::LINK, link));
        }
        response.json(self.0)
    }
}

/// Done, and nothing to say about it.
pub fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
