//! The headers of requests and responses. They follow from what an operation is and from what it
//! answers with, so that they are declared here for all of them.

use service::catalogue;
use utoipa::{
    IntoResponses,
    openapi::{
        Components, Content, Header, KnownFormat, Object, ObjectBuilder, Ref, RefOr, Required,
        Response, SchemaFormat, Type,
        path::{Operation, ParameterBuilder, ParameterIn},
    },
};

use crate::{
    extract::{MAX_KEY_LENGTH, POSITION},
    problem,
    response::NotModified,
};

/// A header of requests: its name, the name under which operations refer to it, its description and its values.
struct Requested {
    name: &'static str,
    shared: &'static str,
    description: &'static str,
    values: fn() -> ObjectBuilder,
}

const IDEMPOTENCY_KEY: Requested = Requested {
    name: "Idempotency-Key",
    shared: "IdempotencyKey",
    description: "\
Key of the request for retries: 1 to 255 visible ASCII characters, preferably a random UUID. The \
same request with the same key is executed once; its response is repeated for 24 hours.",
    values: || text(r"^[!-~]+$").min_length(Some(1)).max_length(Some(MAX_KEY_LENGTH)),
};
const IF_MATCH: Requested = Requested {
    name: "If-Match",
    shared: "IfMatch",
    description: "ETag of the version on which the request is based. Required unless `version` is sent.",
    values: || text(ENTITY_TAGS).max_length(Some(MAX_TAGS_LENGTH)),
};
const IF_NONE_MATCH: Requested = Requested {
    name: "If-None-Match",
    shared: "IfNoneMatch",
    description: "ETag of what the client has, or several. If one is the current ETag, the status is 304.",
    values: || text(ENTITY_TAGS).max_length(Some(MAX_TAGS_LENGTH)),
};
const SHOWN: Requested = Requested {
    name: POSITION,
    shared: "Position",
    description: "\
`X-Steward-Position` of the latest response: the answer shows at least what that response showed. Without it, the \
answer shows all that was written before the request.",
    values: || text(WAL_POSITION).max_length(Some(MAX_POSITION_LENGTH)),
};
const CACHE_CONTROL: Requested = Requested {
    name: "Cache-Control",
    shared: "CacheControl",
    description: "With `no-cache`, the report is computed for this request.",
    values: || text(r"^[!-~ ]*$").max_length(Some(MAX_CACHE_CONTROL_LENGTH)),
};
const REQUESTED: &[Requested] = &[IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, CACHE_CONTROL, SHOWN];

/// A place in PostgreSQL's log, as it writes it.
const WAL_POSITION: &str = "^[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}$";
const MAX_POSITION_LENGTH: usize = 17;

/// `*`, or entity tags separated by commas (RFC 9110, section 13.1.1).
const ENTITY_TAGS: &str = r#"^(\*|(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*)$"#;
/// How long a header with entity tags may be: clients need one tag.
const MAX_TAGS_LENGTH: usize = 1000;
/// How long a `Cache-Control` may be: clients need one directive.
const MAX_CACHE_CONTROL_LENGTH: usize = 200;

/// A header of responses: its name, the name under which responses refer to it, its type and its description.
struct Declared {
    name: &'static str,
    shared: &'static str,
    kind: Type,
    description: &'static str,
}

const ETAG: Declared = Declared {
    name: "ETag",
    shared: "ETag",
    kind: Type::String,
    description: "Version of the resource as a strong entity tag, such as `\"3\"`, for `If-Match` and \
                  `If-None-Match`.",
};
const PAGE_ETAG: Declared = Declared {
    name: "ETag",
    shared: "PageETag",
    kind: Type::String,
    description: "Weak entity tag of the page for `If-None-Match`.",
};
const REPORT_ETAG: Declared = Declared {
    name: "ETag",
    shared: "ReportETag",
    kind: Type::String,
    description: "Weak entity tag for `If-None-Match`. It names the query and the position in the log of the \
                  organization that the report includes, such as `W/\"412-9c1f0ab7d3e25a64\"`.",
};
const CONTENT_ETAG: Declared = Declared {
    name: "ETag",
    shared: "ContentETag",
    kind: Type::String,
    description: "SHA-256 of the whole content as a strong entity tag, for `If-None-Match` and `If-Range`.",
};
const AGE: Declared = Declared {
    name: "Age",
    shared: "Age",
    kind: Type::Integer,
    description: "Number of seconds since the report was computed. Absent if it was computed for this request.",
};
const LINK: Declared = Declared {
    name: "Link",
    shared: "Link",
    kind: Type::String,
    description: "Path and query of the next page, with `rel=\"next\"`. Absent on the last page.",
};
const LOCATION: Declared = Declared {
    name: "Location",
    shared: "Location",
    kind: Type::String,
    description: "Path of the resource that was created.",
};
const REPLAYED: Declared = Declared {
    name: "Idempotent-Replayed",
    shared: "IdempotentReplayed",
    kind: Type::String,
    description: "`true` on a repeated response.",
};
const RETRY_AFTER: Declared = Declared {
    name: "Retry-After",
    shared: "RetryAfter",
    kind: Type::Integer,
    description: "Number of seconds after which to retry. Absent if a retry cannot succeed or is not safe.",
};
const SHOWS: Declared = Declared {
    name: POSITION,
    shared: "Position",
    kind: Type::String,
    description: "How much of the database the response shows, for `X-Steward-Position` of later requests. Absent \
                  where the server has no replica.",
};
const RATE_LIMIT: Declared = Declared {
    name: "RateLimit",
    shared: "RateLimit",
    kind: Type::String,
    description: "What is left of each limit (draft-ietf-httpapi-ratelimit-headers-11), such as `\"reads\";r=599;t=1`: \
                  requests, and the number of seconds after which all are left again or, if `r` is 0, one is.",
};
const RATE_LIMIT_POLICY: Declared = Declared {
    name: "RateLimit-Policy",
    shared: "RateLimitPolicy",
    kind: Type::String,
    description: "Each limit that applies, such as `\"reads\";q=600;w=60`: requests, and within how many seconds all \
                  of them are left again. Absent if there is none.",
};
const DECLARED: &[Declared] = &[
    ETAG,
    PAGE_ETAG,
    REPORT_ETAG,
    CONTENT_ETAG,
    AGE,
    LINK,
    LOCATION,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    REPLAYED,
    RETRY_AFTER,
    SHOWS,
];

/// Puts what operations refer to into the document: headers, and problems with their headers.
pub(super) fn share(components: &mut Components) {
    for header in REQUESTED {
        let parameter = ParameterBuilder::new()
            .name(header.name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(header.description))
            .schema(Some((header.values)()));
        components.parameters.insert(header.shared.to_owned(), parameter.build().into());
    }
    for declared in DECLARED {
        let mut values = Object::with_type(declared.kind.clone());
        if declared.kind == Type::Integer {
            values.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
            values.minimum = Some(0.into());
        }
        let mut header = Header::new(values);
        header.description = Some(declared.description.to_owned());
        components.headers.insert(declared.shared.to_owned(), header.into());
    }
    for (answer, response) in problem::shared() {
        let mut response = response.into();
        if matches!(answer.status, 409 | 429 | 503) {
            add(&mut response, &RETRY_AFTER);
        }
        if matches!(answer.status, 400..500) && answer.is_limited() {
            limited(&mut response);
        }
        components.responses.insert(answer.name.to_owned(), response);
    }
}

/// Declares what any POST has because it can be sent again with its key.
pub(super) fn declare_key(operation: &mut Operation) {
    request(operation, &IDEMPOTENCY_KEY);
    let responses = &mut operation.responses.responses;
    for (status, problem) in problem::responses(&[problem::RETRIED]) {
        responses.entry(status).or_insert(problem);
    }
    for (status, response) in responses {
        if status.starts_with('2') {
            add(response, &REPLAYED);
        }
    }
}

/// What the feeds of an organization answer with: parts that say where to go on, and no pages.
const FEEDS: [&str; 3] = ["DocumentChanges", "EventFeed", "ResourceChanges"];

/// Declares what an operation has because of its responses.
pub(super) fn declare(operation: &mut Operation) {
    let is_page = body_of(operation, "200").is_some_and(|body| body.ends_with("Page"));
    let is_report = operation.tags.iter().flatten().any(|tag| tag == "reports");
    let is_feed = body_of(operation, "200").is_some_and(|body| FEEDS.contains(&body));
    if is_page || is_report || is_feed {
        operation.responses.responses.extend(NotModified::responses());
    }
    if is_report {
        request(operation, &CACHE_CONTROL);
    }
    let has = |status: &str| operation.responses.responses.contains_key(status);
    let (takes_version, can_be_unchanged, is_limited) = (has("428"), has("304"), has("429"));
    if takes_version {
        request(operation, &IF_MATCH);
    }
    if can_be_unchanged {
        request(operation, &IF_NONE_MATCH);
    }
    let is_content = operation.operation_id.as_ref().is_some_and(|id| id.ends_with("_content"));
    let creates = operation.operation_id.as_ref().is_some_and(|id| id.starts_with("create_"));
    for (status, response) in &mut operation.responses.responses {
        let body = body(response).unwrap_or_default();
        let (versioned, page) = (catalogue::is_versioned(body), body.ends_with("Page"));
        match status.as_str() {
            "200" | "206" | "304" if is_content => add(response, &CONTENT_ETAG),
            "304" if is_report => add(response, &REPORT_ETAG),
            "304" => add(response, if is_page || is_feed { &PAGE_ETAG } else { &ETAG }),
            "200" if is_feed => add(response, &PAGE_ETAG),
            "200" if is_report => {
                add(response, &REPORT_ETAG);
                add(response, &AGE);
            }
            "503" => add(response, &RETRY_AFTER),
            "202" => add(response, &LOCATION),
            _ if page => {
                add(response, &LINK);
                add(response, &PAGE_ETAG);
            }
            _ if versioned => add(response, &ETAG),
            _ => {}
        }
        if status == "201" && versioned && creates {
            add(response, &LOCATION);
        }
        if is_limited && matches!(status.as_bytes(), [b'2', ..] | b"304") {
            limited(response);
        }
    }
}

/// Declares what an operation of clients has because a replica may answer it, or another after it.
pub(super) fn declare_position(operation: &mut Operation) {
    if is_read_from_replica(operation) {
        request(operation, &SHOWN);
    }
    for (status, response) in &mut operation.responses.responses {
        if status.starts_with('2') {
            add(response, &SHOWS);
        }
    }
}

/// Whether its handler has a [`crate::extract::ReplicaRead`].
fn is_read_from_replica(operation: &Operation) -> bool {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let is_report = operation.tags.iter().flatten().any(|tag| tag == "reports");
    is_report
        || id.ends_with("_history")
        || id.starts_with("export_")
        || ["list_events", "list_changes"].contains(&id)
}

fn text(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

fn request(operation: &mut Operation, header: &Requested) {
    let shared = Ref::new(format!("#/components/parameters/{}", header.shared));
    operation.parameters.get_or_insert_default().push(RefOr::Ref(shared));
}

fn limited(response: &mut RefOr<Response>) {
    add(response, &RATE_LIMIT_POLICY);
    add(response, &RATE_LIMIT);
}

/// Adds a header to a response that is the operation's own.
fn add(response: &mut RefOr<Response>, header: &Declared) {
    let RefOr::T(response) = response else { return };
    let shared = Ref::new(format!("#/components/headers/{}", header.shared));
    response.headers.insert(header.name.to_owned(), RefOr::Ref(shared));
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
