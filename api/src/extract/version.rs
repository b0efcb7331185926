use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use serde::Deserialize;
use service::store::versioned::Expected;
use utoipa::IntoParams;
use validator::Validate;

use super::Query;
use crate::problem::Failure;

/// The version in `If-Match`, for operations whose body may name one too.
#[derive(Debug)]
pub struct IfMatch(pub Expected);

impl FromRequest for IfMatch {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(if_match(request))))
    }
}

/// RFC 9110, section 13.1.1. Only a strong tag of a version matches; `*` names none.
fn if_match(request: &HttpRequest) -> Expected {
    let Some(value) = request.headers().get(header::IF_MATCH) else {
        return Expected::Unnamed;
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Expected::Unnamed;
    }
    let version = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    version.map_or(Expected::UnknownTag, Expected::Precondition)
}

/// Version on which a deletion is based.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Version {
    /// Version of the resource on which the request is based. Required unless `If-Match` is sent.
    pub version: Option<i64>,
    /// Version that the query and `If-Match` name together.
    #[serde(skip, default = "unnamed")]
    #[param(ignore)]
    pub expected: Expected,
}

fn unnamed() -> Expected {
    Expected::Unnamed
}

impl FromRequest for Version {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = Query::<Self>::from_request(request, payload).into_inner();
        ready(read.map(|Query(Self { version, .. })| Self {
            version,
            expected: Expected::of(version, if_match(request)),
        }))
    }
}
