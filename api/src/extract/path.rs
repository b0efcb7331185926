use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use service::{
    Actor,
    document::document::{self, rules::MAX_KEY_SIZE},
    error::{self, Error},
    random::Secret,
    store::Connections,
    text,
};
use utoipa::{
    IntoParams,
    openapi::{
        KnownFormat, ObjectBuilder, Required, SchemaFormat, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};
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

/// The variable of a path that has this name, decoded.
fn named(request: &HttpRequest, name: &str) -> Option<String> {
    let found = request.match_info().get(name)?;
    percent_decode_str(found).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The id of a meter, in the path to what belongs to it.
#[derive(Debug)]
pub struct MeterId(pub Uuid);

impl FromRequest for MeterId {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = named(request, "meter").and_then(|id| Uuid::try_parse(&id).ok());
        ready(id.map(Self).ok_or_else(|| Error::NotFound("meter").into()))
    }
}

/// A meter and an instant, in the path to what was there then.
#[derive(Debug)]
pub struct MeterInstant {
    meter_id: Uuid,
    at: DateTime<Utc>,
}

impl MeterInstant {
    /// Both.
    pub fn pair(&self) -> (Uuid, DateTime<Utc>) {
        (self.meter_id, self.at)
    }
}

impl FromRequest for MeterInstant {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    /// What is finer than a microsecond is the instant of nothing.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = named(request, "meter").and_then(|id| Uuid::try_parse(&id).ok());
        let at = named(request, "at").and_then(|at| DateTime::parse_from_rfc3339(&at).ok());
        let at = at.map(|at| at.with_timezone(&Utc));
        let at = at.filter(|at| text::instant(at).and_then(|()| text::microseconds(at)).is_ok());
        let key = id.zip(at).map(|(meter_id, at)| Self { meter_id, at });
        ready(key.ok_or_else(|| Error::NotFound("resource").into()))
    }
}

/// A variable of a path with a text of a format.
fn formatted(name: &str, description: &str, format: KnownFormat) -> Parameter {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(format)));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(text))
        .build()
}

impl IntoParams for MeterId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![formatted("meter", "Identifier of the meter.", KnownFormat::Uuid)]
    }
}

impl IntoParams for MeterInstant {
    fn into_params(of: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut variables = MeterId::into_params(of);
        variables.push(formatted("at", "Instant (RFC 3339).", KnownFormat::DateTime));
        variables
    }
}

/// The id or the name of a collection, in the path to its documents.
#[derive(Debug)]
pub struct CollectionName(pub String);

impl FromRequest for CollectionName {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(request, COLLECTION).map(Self).map_err(Failure::from))
    }
}

impl IntoParams for CollectionName {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![variable("collection", "Identifier or name of the collection.", MAX_NAME_LENGTH)]
    }
}

/// The places in `/v1/organizations/{organization_id}/collections/{collection}/documents/{document_id}`.
const COLLECTION: usize = 5;
const DOCUMENT: usize = 7;

/// How long what names a collection may be.
const MAX_NAME_LENGTH: usize = 63;

/// The collection and the key of a document, in its path.
#[derive(Debug)]
pub struct DocumentKey {
    collection: String,
    key: String,
}

impl DocumentKey {
    /// Both.
    pub fn pair(&self) -> (&str, &str) {
        (&self.collection, &self.key)
    }

    /// What identifies the document among resources.
    pub async fn id(&self, connection: &Connections, actor: &Actor) -> error::Result<Uuid> {
        document::document_id(connection, actor, self.pair()).await
    }
}

impl FromRequest for DocumentKey {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = || {
            let collection = segment(request, COLLECTION)?;
            Ok(Self { collection, key: segment(request, DOCUMENT)? })
        };
        ready(read().map_err(|error: Error| error.into()))
    }
}

impl IntoParams for DocumentKey {
    fn into_params(of: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut variables = CollectionName::into_params(of);
        let what = "`id` of the document, percent-encoded.";
        variables.push(variable("document_id", what, MAX_KEY_SIZE));
        variables
    }
}

fn variable(name: &str, description: &str, length: usize) -> Parameter {
    let text =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(length));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(text))
        .build()
}

/// A segment of the path to a document by its place, decoded: of the path as it was sent, since the router has decoded
/// a part of what it matches. What is no UTF-8 names nothing, and neither does what has a NUL character.
fn segment(request: &HttpRequest, place: usize) -> Result<String, Error> {
    let found = request.uri().path().split('/').nth(place);
    let decoded = found.and_then(|segment| percent_decode_str(segment).decode_utf8().ok());
    decoded
        .filter(|text| !text.contains('\0'))
        .map(std::borrow::Cow::into_owned)
        .ok_or(Error::NotFound("resource"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_segment_is_decoded_once() {
        let key = |segment: &str| {
            let path = format!("/v1/organizations/o/collections/documents/documents/{segment}/x");
            super::segment(&TestRequest::with_uri(&path).to_http_request(), DOCUMENT).ok()
        };
        assert_eq!(key("b").as_deref(), Some("b"));
        assert_eq!(key("a%2Fb").as_deref(), Some("a/b"));
        assert_eq!(key("a%252Fb%20+%2B").as_deref(), Some("a%2Fb ++"));
        assert_eq!(key("%F0%9F%98%80").as_deref(), Some("😀"));
        assert_eq!(key("%FF"), None);
        assert_eq!(key("a%00"), None);
    }
}
