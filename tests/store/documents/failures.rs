//! What engines say when they fail.

use std::{fmt, sync::Arc};

use api::problem::Failure;
use service::{
    Error, Result,
    document::engine::{CREDENTIALS_REFUSED, Engine, Precondition, Query},
};

use super::{
    queries,
    room::{Room, SOME, delete, put},
};

/// What servers say that nobody is to hear.
pub(super) const SECRET: &str = "s3cr3t";

/// What each request comes to.
pub(super) async fn all_are(engine: &Arc<dyn Engine>, expected: fn(&Error)) {
    let room = Room::new(engine);
    let (collection, query) = (room.collection, queries::all());
    expected(&failure(engine.get(collection, "a").await));
    expected(&failure(engine.put(collection, "a", &put(Precondition::Absent, SOME)).await));
    expected(&failure(engine.delete(collection, "a", &delete(1)).await));
    expected(&failure(engine.scan(collection, None, 10).await));
    expected(&failure(engine.query(collection, &Query { limit: 1, ..query }).await));
    expected(&failure(engine.changes(collection, None, 10).await));
}

fn failure<T: fmt::Debug>(result: Result<T>) -> Error {
    result.expect_err("it fails")
}

pub(super) fn is_unavailable(error: &Error) {
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    is_503_and_tells_nothing(error);
}

pub(super) fn are_credentials(error: &Error) {
    assert_eq!(error.code(), CREDENTIALS_REFUSED, "{error:?}");
    is_503_and_tells_nothing(error);
}

/// As a client has it, and as the log has it.
pub(super) fn is_503_and_tells_nothing(error: &Error) {
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    let copy = match error {
        Error::Unavailable(why) => Error::Unavailable(why.clone()),
        Error::OutcomeUnknown(why) => Error::OutcomeUnknown(why.clone()),
        Error::NotConfigured { code, detail } => {
            Error::NotConfigured { code, detail: detail.clone() }
        }
        other => panic!("{other:?}"),
    };
    let problem = Failure::from(copy).document(uuid::Uuid::nil(), None);
    assert_eq!(problem.status, 503, "{problem:?}");
}
