//! What clients send: JSON that is read strictly, and changes as JSON Merge Patch (RFC 7396).
//!
//! One type says what a client may write of a resource, `ExpenseInput` say. A new resource is that
//! and perhaps an id ([`Create`]); a change is a merge patch of it and a version ([`Change`]): the
//! patch is laid over the input that would make the resource as it is, and the result is read and
//! validated as a whole, under the same rules.

mod any_of;
pub mod batch;
mod change;
mod exact;
#[cfg(fuzzing)]
pub mod fuzz;
mod json;
pub mod patch;
mod schema;
mod serde_message;

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;
use validator::Validate;

pub use any_of::{AnyOf, AnyOrNone, IdOrNone, MAX_VALUES};
pub use change::Change;
pub use exact::ExactObject;
pub use json::{escape, parse, read};
pub use platform_macros::bounded;
pub use schema::{batch_schema, patch_schema};
pub use serde_message::violation_from_serde;

use self::json::{object, take};
use crate::{error::Result, store::versioned::Expected};

/// What can be made of a body.
pub trait FromBody: Sized {
    /// Below which members of the body JSON is kept to the letter, as [`parse`] takes them. What a resource names in
    /// [`Resource::VERBATIM`](crate::resource::Resource::VERBATIM) is so in the bodies of its own operations.
    const EXACT: &'static [&'static str] = &[];

    /// Reads it from a body.
    fn from_body(body: Value) -> Result<Self>;
}

/// A body that is read at once, as a whole.
#[derive(Debug, Clone)]
pub struct Validated<T>(pub T);

impl<T: DeserializeOwned + Validate> FromBody for Validated<T> {
    fn from_body(body: Value) -> Result<Self> {
        read(body).map(Self)
    }
}

/// A body that is read once the row is found that it goes with.
#[derive(Debug, Clone)]
pub struct Deferred<T> {
    body: Value,
    of: PhantomData<fn() -> T>,
}

/// Whether it is what it should be shows in [`Deferred::read`].
impl<T> FromBody for Deferred<T> {
    fn from_body(body: Value) -> Result<Self> {
        Ok(Self { body: Value::Object(object(body)?), of: PhantomData })
    }
}

impl<T: DeserializeOwned + Validate> Deferred<T> {
    /// Reads it.
    pub fn read(&self) -> Result<T> {
        read(self.body.clone())
    }
}

/// Which members of an input are exact JSON.
pub trait ExactMembers {
    /// Patterns of pointers to them, as those of [`FromBody::EXACT`].
    const EXACT: &'static [&'static str];
}

/// A [`Deferred`] body with exact members.
#[derive(Debug, Clone)]
pub struct DeferredExact<T>(Deferred<T>);

impl<T: ExactMembers> FromBody for DeferredExact<T> {
    const EXACT: &'static [&'static str] = T::EXACT;

    fn from_body(body: Value) -> Result<Self> {
        Deferred::from_body(body).map(Self)
    }
}

impl<T: DeserializeOwned + Validate> DeferredExact<T> {
    /// Reads it.
    pub fn read(&self) -> Result<T> {
        self.0.read()
    }
}

/// A new resource: what it is to be, and its id if the client chooses one.
#[derive(Debug, Clone)]
pub struct Create<T> {
    /// The id that the client chose.
    pub id: Option<Uuid>,
    /// What the resource is to be.
    pub input: T,
}

impl<T: DeserializeOwned + Validate> FromBody for Create<T> {
    fn from_body(body: Value) -> Result<Self> {
        let mut fields = object(body)?;
        let id = take(&mut fields, "id", "a UUID")?;
        Ok(Self { id, input: read(Value::Object(fields))? })
    }
}

impl<T> From<T> for Create<T> {
    fn from(input: T) -> Self {
        Self { id: None, input }
    }
}

/// What goes with a transition, and the version that it was made against.
#[derive(Debug, Clone)]
pub struct TransitionBody<T> {
    version: Option<i64>,
    rest: Value,
    of: PhantomData<fn() -> T>,
}

/// What goes with the transition shows in [`TransitionBody::input`].
impl<T> FromBody for TransitionBody<T> {
    fn from_body(body: Value) -> Result<Self> {
        let mut fields = object(body)?;
        let version = take(&mut fields, "version", "an integer")?;
        Ok(Self { version, rest: Value::Object(fields), of: PhantomData })
    }
}

impl<T> TransitionBody<T> {
    /// The version in the body.
    pub fn version(&self) -> Option<i64> {
        self.version
    }
}

impl<T: DeserializeOwned + Validate> TransitionBody<T> {
    /// What goes with the transition.
    pub fn input(&self) -> Result<T> {
        read(self.rest.clone())
    }
}

impl Expected {
    /// The version of a change, from its body or query and from its precondition.
    pub fn of(named: Option<i64>, precondition: Self) -> Self {
        match (named, precondition) {
            (None, precondition) => precondition,
            (Some(version), Self::Unnamed) => Self::Version(version),
            (Some(version), Self::Precondition(other)) if version == other => {
                Self::Precondition(version)
            }
            (Some(version), Self::OneOf(versions)) if versions.contains(&version) => {
                Self::Precondition(version)
            }
            (Some(_), _) => Self::Contradictory,
        }
    }
}
