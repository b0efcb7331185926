//! Several new resources of one kind, all or none.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use super::{Create, FromBody};
use crate::error::{Error, Result, Violation};

/// The items of a batch.
///
/// # Errors
/// [`Error::Invalid`] with a pointer to each rule that one of them breaks.
pub fn read<T: DeserializeOwned + Validate>(items: Vec<Value>) -> Result<Vec<Create<T>>> {
    let mut violations = Vec::new();
    let mut news = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        match Create::<T>::from_body(item).map_err(|error| error.at_index(index)) {
            Ok(new) => news.push(new),
            Err(Error::Invalid(found)) => violations.extend(found),
            Err(other) => return Err(other),
        }
    }
    let mut seen = HashSet::new();
    for (index, id) in news.iter().enumerate().filter_map(|(i, new)| Some((i, new.id?))) {
        if !seen.insert(id) {
            let at = format!("/items/{index}/id");
            violations.push(Violation::new(at, "duplicate", "must be unique in the batch"));
        }
    }
    if violations.is_empty() { Ok(news) } else { Err(Error::Invalid(violations)) }
}

/// Of an item whose id is or was another's.
pub fn taken(index: usize) -> Error {
    Error::Duplicate { pointer: format!("/items/{index}/id").into() }
}
