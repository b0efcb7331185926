use std::{
    borrow::Cow,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use service::{
    error::{Error, Violation, violations},
    input,
};
use validator::Validate;

use super::fields::{FIELDS, Fields, without};
use crate::{problem::Failure, table};

/// The query, read strictly and valid, without what is asked of the answer alone: its fields
/// ([`Fields`]), and its format ([`table::Format`]).
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Query<T> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = asked(request).and_then(|query| read(&query));
        ready(read.map(Self).map_err(Failure::from))
    }
}

/// The query without what is asked of the answer alone.
fn asked(request: &HttpRequest) -> Result<Cow<'_, str>, Error> {
    let mut query = Cow::Borrowed(request.query_string());
    if Fields::of(request)?.is_some() {
        query = Cow::Owned(without(&query, FIELDS));
    }
    if query.contains(table::PARAMETER) && table::is_offered(request) {
        query = Cow::Owned(without(&query, table::PARAMETER));
    }
    Ok(query)
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
