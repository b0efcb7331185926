//! Selectors: which documents. The operators and rules are those of CouchDB's Mango (`_find`):
//!
//! - The members of an object hold together (`$and`), and a value that is no object of operators or of further names
//!   is equal (`$eq`). `{"a": {"b": 1}}` is `{"a.b": 1}`, and `{"a": {}}` is `{"a": {"$eq": {}}}`.
//! - Where there is no value nothing holds but `{"$exists": false}`: neither `$ne` nor `$nin`, nor the negation of
//!   a test. So a negation is one of each test (De Morgan), and not of whether a document was found.
//! - Values of different types are compared as well ([`super::order`]): `{"$lt": 1}` finds null, false and true.
//!
//! | operator | holds if the value |
//! |---|---|
//! | `$eq` `$ne` `$gt` `$gte` `$lt` `$lte` | is so in the order of values |
//! | `$in` `$nin` | is one of these, or an array that has one of these; the contrary |
//! | `$exists` | is there, or is not |
//! | `$type` | is a null, boolean, number, string, array or object |
//! | `$size` | is an array of so many elements |
//! | `$all` | is an array that has each of these; or is the one array that is named |
//! | `$elemMatch` | is an array of which an element is so |
//! | `$regex` | is a string of which a part matches (the syntax is RE2's) |
//! | `$and` `$or` `$nor` `$not` | |

mod parse;
mod show;
mod test;

#[cfg(test)]
mod tests;

pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_LISTED, MAX_TESTS};
pub use test::{Comparison, Listed, Operand, Test};

use super::path::Path;

/// What a document, or an element of an array, is to be.
#[derive(Debug, Clone)]
pub enum Condition {
    /// All of these.
    And(Vec<Self>),
    /// One of these.
    Or(Vec<Self>),
    /// A value at a path.
    Test(Path, Test),
}

/// Which documents.
#[derive(Debug, Clone)]
pub struct Selector {
    pub(super) root: Condition,
}

impl Selector {
    /// What must hold together: tests, and alternatives.
    pub fn parts(&self) -> Vec<&Condition> {
        let (mut found, mut next) = (Vec::new(), vec![&self.root]);
        while let Some(condition) = next.pop() {
            match condition {
                Condition::And(parts) => next.extend(parts.iter().rev()),
                condition => found.push(condition),
            }
        }
        found
    }

    /// The tests that must hold together.
    pub fn conjuncts(&self) -> Vec<(&Path, &Test)> {
        let tests = self.parts().into_iter().filter_map(|part| match part {
            Condition::Test(path, test) => Some((path, test)),
            _ => None,
        });
        tests.collect()
    }

    /// Whether it can hold for no document: an `$or` of nothing is among what must hold.
    pub fn is_never(&self) -> bool {
        self.parts().iter().any(|part| matches!(part, Condition::Or(parts) if parts.is_empty()))
    }
}
