//! Answers: a resource with its version, a page with the way to the next.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{StatusCode, header},
};
use serde::Serialize;
use service::{
    api_key::IssuedApiKey, budget::Budget, category::Category, expense::Expense,
    invitation::IssuedInvitation, store::page::Page,
};

use crate::problem::Failure;

/// What a handler gives.
pub type Result<T> = std::result::Result<T, Failure>;

/// A resource that carries a version.
pub trait HasVersion: Serialize {
    /// The version.
    fn version(&self) -> i64;
}

macro_rules! has_version {
    ($($view:ty),* $(,)?) => {$(
        impl HasVersion for $view {
            fn version(&self) -> i64 {
                self.version
            }
        }
    )*};
}

has_version!(
    Budget,
    Category,
    Expense,
    service::api_key::ApiKey,
    service::invitation::Invitation,
    service::member::Member,
    service::organization::Organization,
    service::user::User,
);

impl HasVersion for IssuedApiKey {
    fn version(&self) -> i64 {
        self.api_key.version
    }
}

impl HasVersion for IssuedInvitation {
    fn version(&self) -> i64 {
        self.invitation.version
    }
}

/// A resource, with its version as a strong ETag.
#[derive(Debug)]
pub struct Resource<T> {
    status: StatusCode,
    resource: T,
}

impl<T> Resource<T> {
    /// As it is.
    pub fn found(resource: T) -> Self {
        Self { status: StatusCode::OK, resource }
    }

    /// As it was just made.
    pub fn created(resource: T) -> Self {
        Self { status: StatusCode::CREATED, resource }
    }
}

/// The ETag of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

impl<T: HasVersion> Responder for Resource<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        HttpResponse::build(self.status)
            .insert_header((header::ETAG, etag(self.resource.version())))
            .json(self.resource)
    }
}

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
