//! What a handler can ask for in its signature: who, which row, which version, which valid input.

mod body;
mod caller;
mod once;
mod path;
mod query;
mod source;
mod version;

pub(crate) use body::Reading;
pub use body::{Body, Upload};
pub use caller::{InSession, RequestId, Require, Staying, enter, identify};
pub use once::Once;
pub use path::{Row, Token};
pub use query::{LastEventId, Query};
pub use source::Source;
pub use version::{IfMatch, Version};
