use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use service::{
    error::{Error, Violation, violations},
    input,
};
use validator::Validate;

use super::fields::{Fields, without_fields};
use crate::problem::Failure;

/// The query, read strictly and valid, without the fields that the answer is to have ([`Fields`]).
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Query<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = request.query_string();
        let read = match Fields::of(request) {
            Ok(None) => read(query),
            Ok(Some(_)) => read(&without_fields(query)),
            Err(error) => Err(error),
        };
        ready(read.map(Self).map_err(Failure::from))
    }
}

/// Pointers into the query start with `?`.
fn read<T: DeserializeOwned + Validate>(query: &str) -> Result<T, Error> {
    let unreadable = || Error::invalid("?", "encoding", "must be percent-encoded UTF-8");
    // The readers below put U+FFFD for what is no UTF-8, and go on.
    percent_decode_str(query).decode_utf8().map_err(|_| unreadable())?;
    let pairs =
        serde_urlencoded::from_str::<Vec<(String, String)>>(query).map_err(|_| unreadable())?;
    if let Some((name, _)) = pairs.iter().find(|(n, v)| n.contains('\0') || v.contains('\0')) {
        let name = name.replace('\0', "");
        return Err(Error::invalid(format!("?{name}"), "nul", "must not contain a NUL character"));
    }
    let in_query = |violation: Violation| Violation {
        pointer: format!("?{}", violation.pointer.trim_start_matches('/')),
        ..violation
    };
    let deserializer = serde_urlencoded::Deserializer::new(form(query));
    let value: T = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let at = match error.path().to_string() {
            path if path == "." => String::new(),
            path => format!("/{path}"),
        };
        Error::Invalid(vec![in_query(input::violation_from_serde(&at, error.inner()))])
    })?;
    value.validate().map_err(|errors| {
        Error::Invalid(violations(&errors).into_iter().map(in_query).collect())
    })?;
    Ok(value)
}

fn form(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

/// The position of the last event that a client of a stream has seen.
#[derive(Debug)]
pub struct LastEventId(pub Option<i64>);

impl FromRequest for LastEventId {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("last-event-id") else {
            return ready(Ok(Self(None)));
        };
        let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        let position = position.filter(|position: &i64| *position >= 0);
        let refused =
            || Error::invalid("Last-Event-ID", "position", "must be the position of an event");
        ready(position.map(|it| Self(Some(it))).ok_or_else(|| refused().into()))
    }
}
