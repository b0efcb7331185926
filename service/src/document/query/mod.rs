//! Queries and aggregation over documents. Pure: what is here decides and evaluates, and reads nothing.
//!
//! A query is a [`Selector`] (the operators of CouchDB's Mango), an order, fields and a limit. [`plan`] decides
//! from the declared indexes which documents are read, and in which order; every document that is read is then
//! tested by [`Selector::matches`]. So an index changes what a query costs, and never what it answers.
//!
//! Values are compared by one order everywhere ([`order`]).

pub mod aggregate;
pub mod cursor;
pub mod fields;
mod matches;
pub mod order;
pub mod path;
pub mod plan;
pub mod range;
pub mod selector;
pub mod sort;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod generate;

pub use aggregate::Aggregation;
pub use matches::Subject;
pub use path::Path;
pub use plan::Plan;
pub use selector::Selector;

use crate::error::Violation;

/// A violation below a pointer.
fn refuse(at: &str, code: &'static str, message: impl Into<String>) -> Violation {
    Violation::new(at, code, message)
}

/// The pointer to a member or an item.
fn below(at: &str, name: impl std::fmt::Display) -> String {
    format!("{at}/{}", name.to_string().replace('~', "~0").replace('/', "~1"))
}
