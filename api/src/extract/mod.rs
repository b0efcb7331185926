//! What a handler can ask for in its signature: who, which row, which version, which valid input.

mod body;
mod caller;
mod fields;
mod files;
mod idempotent;
mod path;
mod query;
mod replica;
mod source;
mod version;

pub use body::{Body, BodyOf, PatchOf, RawBody, Readings, Upload};
pub(crate) use body::{BodyText, Reading};
pub(crate) use caller::basic_password;
pub use caller::{InSession, RequestId, Require, StreamSession, enter, identify};
pub(crate) use fields::{Fields, MAX_FIELDS_LENGTH};
pub(crate) use files::receive;
pub use idempotent::Idempotent;
pub(crate) use idempotent::MAX_KEY_LENGTH;
pub use path::{CollectionName, DocumentKey, MeterId, MeterInstant, ResourceId, Token};
pub use query::{LastEventId, Query};
pub(crate) use replica::POSITION;
pub use replica::ReplicaRead;
pub use source::Source;
pub use version::{IfMatch, IfNoneMatch, Version};
