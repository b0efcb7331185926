use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header::{self, EntityTag},
};
use serde::Deserialize;
use service::store::versioned::Expected;
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};
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

/// Whether `If-None-Match` is `*`, for what makes a resource only if there is none (RFC 9110, section 13.1.2).
#[derive(Debug)]
pub struct IfNoneMatch(pub bool);

impl FromRequest for IfNoneMatch {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asked = request.get_header::<header::IfNoneMatch>();
        ready(Ok(Self(matches!(asked, Some(header::IfNoneMatch::Any)))))
    }
}

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let any = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["*"]));
        let header = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .description(Some("`*`: create the resource only if there is none."))
            .schema(Some(any));
        vec![header.build()]
    }
}

/// RFC 9110, section 13.1.1. Only strong tags of versions match; `*` names none.
fn if_match(request: &HttpRequest) -> Expected {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Expected::Unnamed;
    }
    let tags = match request.get_header() {
        Some(header::IfMatch::Any) => return Expected::Unnamed,
        Some(header::IfMatch::Items(tags)) => tags,
        None => Vec::new(),
    };
    let versions: Vec<i64> = tags.iter().filter_map(version).collect();
    match (&*versions, tags.len()) {
        ([version], 1) => Expected::Precondition(*version),
        _ => Expected::OneOf(versions),
    }
}

/// The version that a tag is of.
fn version(tag: &EntityTag) -> Option<i64> {
    let digits = tag.tag();
    let is_number = !tag.weak && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// Version on which a deletion is based.
#[service::input::bounded]
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

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn expected(headers: &[&str]) -> Expected {
        let with =
            |request: TestRequest, value: &&str| request.append_header((header::IF_MATCH, *value));
        if_match(&headers.iter().fold(TestRequest::patch(), with).to_http_request())
    }

    #[test]
    fn if_match_names_the_versions_of_its_strong_tags() {
        assert_eq!(expected(&[]), Expected::Unnamed);
        assert_eq!(expected(&["*"]), Expected::Unnamed);
        assert_eq!(expected(&["\"3\""]), Expected::Precondition(3));
        assert_eq!(expected(&["\"3\", \"4\""]), Expected::OneOf(vec![3, 4]));
        assert_eq!(expected(&["\"3\"", "\"4\""]), Expected::OneOf(vec![3, 4]));
        assert_eq!(expected(&["\"x\",\"4\" , W/\"5\""]), Expected::OneOf(vec![4]));
        for none in ["W/\"3\"", "\"\"", "\"+3\"", "\"x\"", "3", "", "\"99999999999999999999\""] {
            assert_eq!(expected(&[none]), Expected::OneOf(Vec::new()), "{none}");
        }
    }
}
