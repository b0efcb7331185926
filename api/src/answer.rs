//! Answers: a resource with its version, a page with the way to the next.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{StatusCode, header},
};
use serde::Serialize;
use service::{resource::Versioned, store::page::Page};
use utoipa::IntoResponses;

use crate::problem::Failure;

/// What a handler gives.
pub type Result<T> = std::result::Result<T, Failure>;

/// A resource, with its version as a strong ETag.
#[derive(Debug)]
pub struct Resource<T> {
    status: StatusCode,
    located: bool,
    resource: T,
}

impl<T> Resource<T> {
    /// As it is.
    pub fn found(resource: T) -> Self {
        Self { status: StatusCode::OK, located: false, resource }
    }

    /// As it was just made, in the collection that was asked.
    pub fn created(resource: T) -> Self {
        Self { status: StatusCode::CREATED, located: true, resource }
    }

    /// As it was just made, somewhere else.
    pub fn created_elsewhere(resource: T) -> Self {
        Self { status: StatusCode::CREATED, located: false, resource }
    }
}

impl<T: Versioned> Responder for Resource<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::ETAG, format!("\"{}\"", self.resource.version())));
        if self.located {
            let location = format!("{}/{}", request.path(), self.resource.id());
            response.insert_header((header::LOCATION, location));
        }
        response.json(self.resource)
    }
}

/// What reading a resource answers where `If-None-Match` names the version that it has.
#[derive(Debug, IntoResponses)]
#[response(status = 304, description = "Nothing has changed since the version of If-None-Match")]
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
