//! What a column says beyond its type: a word of an enum, or JSON.
//!
//! While a new version is rolled out, nodes of the one before read rows that it has written. A row that says what this
//! version does not know is shown as nothing else and not written over: reading it is an [`Error::Internal`], whose
//! cause names the column and the row for the server's log.

use std::str::FromStr;

use sea_orm::{ColumnTrait, EntityName};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use strum::VariantArray;
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    json::canonical,
};

/// An enum whose variants stand in the database as the words that they are in JSON. A test of the domain's catalogue
/// compares the two.
pub trait StoredWord: Copy + FromStr + Into<&'static str> + Serialize + VariantArray {
    /// Every variant, in their order.
    const ALL: &'static [Self] = Self::VARIANTS;

    /// The variant's word.
    fn as_str(self) -> &'static str {
        self.into()
    }
}

impl<W: Copy + FromStr + Into<&'static str> + Serialize + VariantArray> StoredWord for W {}

/// What a word means that stands in a column.
///
/// # Errors
/// [`Error::Internal`] for a word that this version does not know.
pub fn word<W: StoredWord>(column: impl ColumnTrait, id: Uuid, word: &str) -> Result<W> {
    let unknown = |_| unreadable(column, id, &format!("the word {word:?}, which is not known"));
    word.parse::<W>().map_err(unknown)
}

/// What the JSON of a column says.
///
/// # Errors
/// [`Error::Internal`] for JSON that this version cannot read. What it says stays out of the log.
pub fn json<T: DeserializeOwned>(column: impl ColumnTrait, id: Uuid, json: Value) -> Result<T> {
    serde_json::from_value(canonical(json))
        .map_err(|_| unreadable(column, id, "JSON that cannot be read"))
}

/// What a column says that has an object of JSON to the letter.
///
/// # Errors
/// [`Error::Internal`] for what is none. What it says stays out of the log.
pub fn exact_object(column: impl ColumnTrait, id: Uuid, text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text)
        .map_err(|_| unreadable(column, id, "an object of JSON that cannot be read"))
}

fn unreadable<C: ColumnTrait>(column: C, id: Uuid, what: &str) -> Error {
    let (entity, column) = (C::EntityName::default(), column.as_str());
    let table = entity.table_name();
    Error::Internal(format!("{table}.{column} of {id} is {what}"))
}

#[cfg(test)]
mod tests {
    use entity::expense::Column;
    use serde_json::json;

    use super::*;
    use crate::role::Role;

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn what_is_known_is_read() {
        assert_eq!(word::<Role>(Column::Status, ID, "owner").ok(), Some(Role::Owner));
        assert_eq!(json::<Vec<i64>>(Column::Tags, ID, json!([1, 2])).ok(), Some(vec![1, 2]));
    }

    #[test]
    fn what_is_unknown_is_an_error_that_says_where() {
        let refused = word::<Role>(Column::Status, ID, "Owner").expect_err("another word");
        let cause = format!("expense.status of {ID} is the word \"Owner\", which is not known");
        assert!(matches!(refused, Error::Internal(said) if said == cause));
    }

    #[test]
    fn what_json_says_stays_out_of_the_cause() {
        let refused = json::<Vec<i64>>(Column::Tags, ID, json!(["Ada"])).expect_err("no numbers");
        let cause = format!("expense.tags of {ID} is JSON that cannot be read");
        assert!(matches!(refused, Error::Internal(said) if said == cause));
    }
}
