use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use service::{error::Error, random::Secret};
use uuid::Uuid;

use crate::problem::Failure;

/// The id in the last variable of the path. What is no UUID is the id of nothing.
#[derive(Debug)]
pub struct ResourceId(pub Uuid);

impl FromRequest for ResourceId {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let last = request.match_info().iter().last().map(|(_, value)| value);
        let id = last.and_then(|value| Uuid::try_parse(value).ok());
        ready(id.map(Self).ok_or_else(|| Error::NotFound("resource").into()))
    }
}

/// The token in the last variable of the path.
#[derive(Debug)]
pub struct Token(pub Secret);

impl FromRequest for Token {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let last = request.match_info().iter().last().map_or("", |(_, value)| value);
        ready(Ok(Self(Secret::of(last))))
    }
}
