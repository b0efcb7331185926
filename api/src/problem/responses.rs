//! The problems that operations can answer with, as the OpenAPI document tells them.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

use super::{MEDIA_TYPE, Problem};

/// A problem as the OpenAPI document tells it: once, under its name, for all operations that can answer with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// The name of the response in the document.
    pub name: &'static str,
    pub status: u16,
    pub description: &'static str,
}

const fn answer(name: &'static str, status: u16, description: &'static str) -> Answer {
    Answer { name, status, description }
}

impl Answer {
    /// Whether it says what the limits are: what is for operators has none.
    pub(crate) fn is_limited(&self) -> bool {
        OPERATORS.iter().all(|answer| answer.name != self.name)
    }
}

/// The problems that any operation can answer with.
const ALWAYS: &[Answer] = &[
    answer("InternalError", 500, "Internal error"),
    answer(
        "Unavailable",
        503,
        "Temporarily unavailable: retry after Retry-After seconds. With the code \
         `outcome_unknown`, the request may have been executed",
    ),
];

/// References to the problems of these groups. Where two have the same status, the last says more.
pub(crate) fn responses(groups: &[&[Answer]]) -> BTreeMap<String, RefOr<Response>> {
    let all = groups.iter().flat_map(|group| group.iter()).chain(ALWAYS);
    all.map(|it| (it.status.to_string(), Ref::from_response_name(it.name).into())).collect()
}

/// Every problem that operations can answer with, as a response to refer to.
pub(crate) fn shared() -> impl Iterator<Item = (Answer, Response)> {
    GROUPS.iter().flat_map(|group| group.iter()).map(|it| {
        let schema = Ref::from_schema_name(Problem::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description(it.description);
        (*it, response.content(MEDIA_TYPE, content).build())
    })
}

const GROUPS: &[&[Answer]] = &[
    ALWAYS,
    LIMITED,
    RETRIED,
    THROTTLED,
    STREAMED,
    AUTHENTICATED,
    OPERATORS,
    FOUND,
    PARAMETERS,
    BODY,
    CONFLICT,
    VERSIONED,
    STORAGE,
    RANGES,
];

/// What any POST can answer because of its Idempotency-Key.
pub(crate) const RETRIED: &[Answer] = &[
    answer("InvalidKey", 400, "The Idempotency-Key is invalid"),
    IN_CONFLICT,
    answer("KeyReused", 422, "The Idempotency-Key was used for another request"),
];
/// What any operation can answer whose requests are limited.
const LIMITED: &[Answer] =
    &[answer("TooManyRequests", 429, "Too many requests: retry after Retry-After seconds")];
const THROTTLED: &[Answer] = &[answer(
    "TooManyFailures",
    429,
    "Too many requests, or too many failures from this network: retry after Retry-After seconds",
)];
const STREAMED: &[Answer] = &[answer(
    "TooManyStreams",
    429,
    "Too many requests, or the organization has the maximum number of streams open",
)];
const AUTHENTICATED: &[Answer] =
    &[answer("Unauthenticated", 401, "No valid token"), answer("Forbidden", 403, "Not permitted")];
const OPERATORS: &[Answer] =
    &[answer("OperatorsOnly", 403, "The details are at the address for operators")];
const FOUND: &[Answer] = &[answer("NotFound", 404, "Not found, or hidden from the role")];
const INVALID: Answer = answer("InvalidInput", 422, "The input violates rules");
const PARAMETERS: &[Answer] = &[INVALID];
const BODY: &[Answer] = &[
    answer(
        "BadRequest",
        400,
        "The body is not valid JSON, `version` and If-Match differ, or the Idempotency-Key is invalid",
    ),
    answer("RequestTimeout", 408, "The body was not received in time"),
    answer("ContentTooLarge", 413, "The body is too large"),
    answer(
        "UnsupportedMediaType",
        415,
        "The media type of the body is not supported, or the body is compressed",
    ),
    INVALID,
];
const STORAGE: &[Answer] = &[answer(
    "InsufficientStorage",
    507,
    "There is no room: the organization has used its quota, or the disk is full",
)];
const RANGES: &[Answer] =
    &[answer("RangeNotSatisfiable", 416, "The range lies outside of the content")];
const IN_CONFLICT: Answer = answer(
    "Conflict",
    409,
    "Conflict with the current state, or the first request with the Idempotency-Key is in progress",
);
const CONFLICT: &[Answer] = &[IN_CONFLICT];
const VERSIONED: &[Answer] = &[
    answer("VersionsDiffer", 400, "`version` and If-Match differ"),
    answer(
        "StaleVersion",
        409,
        "The version is stale, or the current state does not permit the operation",
    ),
    answer("PreconditionFailed", 412, "The version in If-Match is stale"),
    answer("VersionRequired", 428, "A version is required: `version` or If-Match"),
];

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $($group:ident),*;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$($group),*])
            }
        }
    )*};
}

problems! {
    /// What a public operation with a body, in which something can be guessed, can answer with besides
    /// its success.
    Guess: BODY, CONFLICT, AUTHENTICATED, THROTTLED;
    /// What an operation can answer with, too, in which something can be guessed.
    Throttled: THROTTLED;
    /// What a stream can answer with besides its success.
    Stream: AUTHENTICATED, FOUND, PARAMETERS, STREAMED;
    /// What an operation of a user's own can answer with besides its success.
    Own: AUTHENTICATED, PARAMETERS, LIMITED;
    /// What reading can answer with besides its success.
    Read: AUTHENTICATED, FOUND, PARAMETERS, LIMITED;
    /// What creating can answer with besides its success.
    Create: AUTHENTICATED, FOUND, BODY, CONFLICT, LIMITED;
    /// What receiving files can answer with besides its success.
    Upload: AUTHENTICATED, FOUND, BODY, CONFLICT, LIMITED, STORAGE;
    /// What reading a content can answer with besides its success.
    Download: AUTHENTICATED, FOUND, RANGES, LIMITED;
    /// What taking up something that waits can answer with besides its success.
    Take: AUTHENTICATED, FOUND, CONFLICT, LIMITED;
    /// What changing can answer with besides its success.
    Change: AUTHENTICATED, FOUND, VERSIONED, BODY, LIMITED;
    /// What removing can answer with besides its success.
    Remove: AUTHENTICATED, FOUND, PARAMETERS, VERSIONED, LIMITED;
    /// What an operation of the server's own can answer with besides its success.
    Served:;
    /// What an operation that shows details to operators alone can answer with besides its success.
    Operators: OPERATORS;
}
