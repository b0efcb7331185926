//! The headers of requests and responses. They follow from what an operation is and from what it
//! answers with, so that they are declared here for all of them.

use service::catalogue;
use utoipa::{
    IntoResponses,
    openapi::{
        Content, Header, Object, RefOr, Required, Response, Type,
        path::{Operation, ParameterBuilder, ParameterIn},
    },
};

use crate::{problem, response::NotModified};

const IDEMPOTENCY_KEY: &str = "\
Key of the request for retries: 1 to 255 visible ASCII characters, preferably a random UUID. The \
same request with the same key is executed once; its response is repeated for 24 hours.";
const IF_MATCH: &str =
    "ETag of the version on which the request is based. Required unless `version` is sent.";
const IF_NONE_MATCH: &str =
    "ETag of what the client has, or several. If one is the current ETag, the status is 304.";

/// A header of a response: its name, its type, and its description.
type Declared = (&'static str, Type, &'static str);

const ETAG: Declared = (
    "ETag",
    Type::String,
    "Version of the resource as a strong entity tag, such as `\"3\"`, for `If-Match` and \
     `If-None-Match`.",
);
const PAGE_ETAG: Declared =
    ("ETag", Type::String, "Weak entity tag of the page for `If-None-Match`.");
const LINK: Declared = (
    "Link",
    Type::String,
    "Path and query of the next page, with `rel=\"next\"`. Absent on the last page.",
);
const LOCATION: Declared = ("Location", Type::String, "Path of the resource that was created.");
const REPLAYED: Declared = ("Idempotent-Replayed", Type::String, "`true` on a repeated response.");
const RETRY_AFTER: Declared = (
    "Retry-After",
    Type::Integer,
    "Number of seconds after which to retry. Absent if a retry cannot succeed or is not safe.",
);

/// Declares what any POST has because it can be sent again with its key.
pub(super) fn declare_key(operation: &mut Operation) {
    request(operation, "Idempotency-Key", IDEMPOTENCY_KEY);
    let responses = &mut operation.responses.responses;
    for (status, problem) in problem::responses(&[problem::RETRIED]) {
        responses.entry(status).or_insert(problem);
    }
    for (status, response) in responses {
        match status.as_str() {
            "409" => add(response, RETRY_AFTER),
            success if success.starts_with('2') => add(response, REPLAYED),
            _ => {}
        }
    }
}

/// Declares what an operation has because of its responses.
pub(super) fn declare(operation: &mut Operation) {
    let is_page = body_of(operation, "200").is_some_and(|body| body.ends_with("Page"));
    if is_page {
        operation.responses.responses.extend(NotModified::responses());
    }
    let has = |status: &str| operation.responses.responses.contains_key(status);
    let (takes_version, can_be_unchanged) = (has("428"), has("304"));
    if takes_version {
        request(operation, "If-Match", IF_MATCH);
    }
    if can_be_unchanged {
        request(operation, "If-None-Match", IF_NONE_MATCH);
    }
    let creates = operation.operation_id.as_ref().is_some_and(|id| id.starts_with("create_"));
    for (status, response) in &mut operation.responses.responses {
        let body = body(response).unwrap_or_default();
        let (versioned, page) = (catalogue::is_versioned(body), body.ends_with("Page"));
        match status.as_str() {
            "304" => add(response, if is_page { PAGE_ETAG } else { ETAG }),
            "429" | "503" => add(response, RETRY_AFTER),
            "202" => add(response, LOCATION),
            _ if page => {
                add(response, LINK);
                add(response, PAGE_ETAG);
            }
            _ if versioned => add(response, ETAG),
            _ => {}
        }
        if status == "201" && versioned && creates {
            add(response, LOCATION);
        }
    }
}

fn request(operation: &mut Operation, name: &str, description: &str) {
    let header = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(Object::with_type(Type::String)));
    operation.parameters.get_or_insert_default().push(header.build().into());
}

fn add(response: &mut RefOr<Response>, (name, kind, description): Declared) {
    let RefOr::T(response) = response else { return };
    let mut header = Header::new(Object::with_type(kind));
    header.description = Some(description.to_owned());
    response.headers.insert(name.to_owned(), header.into());
}

/// The name of the schema of the body of an operation's response.
pub(super) fn body_of<'a>(operation: &'a Operation, status: &str) -> Option<&'a str> {
    body(operation.responses.responses.get(status)?)
}

/// The name of the schema of a response's body.
fn body(response: &RefOr<Response>) -> Option<&str> {
    let RefOr::T(response) = response else { return None };
    match response.content.get("application/json")? {
        RefOr::T(Content { schema: Some(RefOr::Ref(reference)), .. }) => {
            reference.ref_location.rsplit('/').next()
        }
        _ => None,
    }
}
