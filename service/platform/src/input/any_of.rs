//! Filters of lists that take several values: `draft,submitted`, or `none` where a value may be missing.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, IntoDeserializer, value::StrDeserializer},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::AnyOfBuilder,
    },
};
use uuid::Uuid;

use crate::{
    store::{parts::Choice, stored::StoredWord},
    text::fold,
};

/// How many values a filter takes at most: each may be a range of an index of its own.
pub const MAX_VALUES: usize = 20;

/// What stands for a value that is missing.
const NONE: &str = "none";

/// Values separated by commas, each once, at least one: what has one of them is asked for. A comma within a value is
/// written `\,`, and a backslash before a comma `\\`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnyOf<T>(Vec<T>);

/// The same where the value may be missing, which is asked for with `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyOrNone<T> {
    values: Vec<T>,
    none: bool,
}

impl<T> AnyOf<T> {
    /// The values.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T> AnyOrNone<T> {
    /// The values, without `none`.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    /// Whether `none` is among them.
    pub fn none(&self) -> bool {
        self.none
    }
}

impl AnyOf<Uuid> {
    /// As a column of ids has them.
    pub fn ids(&self) -> Choice {
        Choice::of(self.iter().copied())
    }
}

impl AnyOrNone<Uuid> {
    /// As a column of ids has them.
    pub fn ids(&self) -> Choice {
        Choice { or_null: self.none, ..Choice::of(self.iter().copied()) }
    }
}

impl<W: StoredWord> AnyOf<W> {
    /// As a column of words has them.
    pub fn words(&self) -> Choice {
        Choice::of(self.iter().map(|word| word.as_str()))
    }
}

impl AnyOf<String> {
    /// As a column of these texts has them.
    pub fn texts(&self) -> Choice {
        Choice::of(self.iter().cloned())
    }

    /// As a column of folded texts has them ([`fold`]).
    pub fn keys(&self) -> Choice {
        let mut keys: Vec<_> = self.iter().map(|text| fold(text)).collect();
        keys.sort_unstable();
        keys.dedup();
        Choice::of(keys)
    }
}

impl<T> From<T> for AnyOf<T> {
    fn from(value: T) -> Self {
        Self(vec![value])
    }
}

impl<T> From<T> for AnyOrNone<T> {
    fn from(value: T) -> Self {
        Self { values: vec![value], none: false }
    }
}

impl<'de, T: DeserializeOwned + PartialEq> Deserialize<'de> for AnyOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&split(&text)?).map(Self)
    }
}

impl<'de, T: DeserializeOwned + PartialEq> Deserialize<'de> for AnyOrNone<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut texts = split(&text)?;
        let all = texts.len();
        texts.retain(|text| text != NONE);
        Ok(Self { none: texts.len() < all, values: read(&texts)? })
    }
}

fn split<E: de::Error>(text: &str) -> Result<Vec<String>, E> {
    let mut values = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let kept = match (character, rest.peek()) {
            (',', _) => {
                values.push(String::new());
                continue;
            }
            ('\\', Some(',' | '\\')) => rest.next(),
            _ => Some(character),
        };
        if let Some(value) = values.last_mut() {
            value.extend(kept);
        }
    }
    if values.len() > MAX_VALUES {
        return Err(E::custom(format_args!("expected at most {MAX_VALUES} values")));
    }
    Ok(values)
}

fn read<T: DeserializeOwned + PartialEq, E: de::Error>(texts: &[String]) -> Result<Vec<T>, E> {
    let mut values = Vec::new();
    for text in texts {
        let text: StrDeserializer<'_, E> = text.as_str().into_deserializer();
        let value = T::deserialize(text)?;
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Ok(values)
}

/// How the OpenAPI document describes a value of [`AnyOrNone<Uuid>`].
#[derive(Debug, Clone, Copy)]
pub struct IdOrNone;

impl PartialSchema for IdOrNone {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let id = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        AnyOfBuilder::new().item(id).item(text().enum_values(Some([NONE]))).into()
    }
}

impl ToSchema for IdOrNone {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::value::Error;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Status {
        Draft,
        Submitted,
    }

    fn any<T: DeserializeOwned + PartialEq>(text: &str) -> Result<Vec<T>, String> {
        let text: StrDeserializer<'_, Error> = text.into_deserializer();
        AnyOf::deserialize(text).map(|any| any.0).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_separated_by_commas_and_each_is_there_once() {
        assert_eq!(any("draft"), Ok(vec![Status::Draft]));
        let both = Ok(vec![Status::Submitted, Status::Draft]);
        assert_eq!(any("submitted,draft,submitted"), both);
        for bad in ["", "draft,", "draft, submitted", "Draft", "none"] {
            assert!(any::<Status>(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_backslash_keeps_a_comma_and_a_backslash_before_one() {
        for (text, values) in [
            (r"a\,b,c", vec!["a,b", "c"]),
            (r"a\\,b", vec![r"a\", "b"]),
            (r"C:\temp\", vec![r"C:\temp\"]),
        ] {
            let values = values.into_iter().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(any(text), Ok(values), "{text}");
        }
    }

    #[test]
    fn none_is_a_value_that_is_missing() {
        let of = |text: &str| {
            let text: StrDeserializer<'_, Error> = text.into_deserializer();
            AnyOrNone::<Uuid>::deserialize(text).ok()
        };
        let id = Uuid::from_u128(7);
        assert_eq!(of("none"), Some(AnyOrNone { values: vec![], none: true }));
        assert_eq!(of(&format!("{id},none")), Some(AnyOrNone { values: vec![id], none: true }));
        assert_eq!(of(&id.to_string()), Some(id.into()));
        assert_eq!(of("none,nobody"), None);
    }

    #[test]
    fn there_are_so_many_values_at_most() {
        let texts: Vec<_> = (0..=MAX_VALUES).map(|n| n.to_string()).collect();
        assert!(any::<String>(&texts[1..].join(",")).is_ok());
        assert_eq!(any::<String>(&texts.join(",")), Err("expected at most 20 values".to_owned()));
    }

    proptest! {
        #[test]
        fn every_text_can_be_written(texts in prop::collection::vec(r"[a\\,]{0,4}", 1..5)) {
            let written: Vec<_> =
                texts.iter().map(|text| text.replace('\\', r"\\").replace(',', r"\,")).collect();
            let mut once: Vec<String> = Vec::new();
            for text in &texts {
                if !once.contains(text) {
                    once.push(text.clone());
                }
            }
            prop_assert_eq!(any(&written.join(",")), Ok(once));
        }
    }
}
