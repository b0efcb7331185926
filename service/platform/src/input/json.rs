//! JSON that is read strictly, and what is wrong with it where it is.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use validator::Validate;

use super::serde_message::{unkept, violation_from_serde};
use crate::error::{Error, Result, Violation, violations};

/// A body as JSON.
///
/// # Errors
/// [`Error::Malformed`] where it is no JSON, [`Error::Invalid`] for texts that no database keeps: a
/// NUL character, half a surrogate pair.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let deserializer = &mut serde_json::Deserializer::from_slice(bytes);
    let value: Value = serde_path_to_error::deserialize(&mut *deserializer).map_err(|error| {
        let message = error.inner().to_string();
        match unkept(&message) {
            Some((code, text)) => Error::invalid(pointer(error.path()), code, text),
            None => Error::Malformed(message),
        }
    })?;
    deserializer.end().map_err(|error| Error::Malformed(error.to_string()))?;
    let mut found = Vec::new();
    find_nul(&value, &mut String::new(), &mut found);
    if found.is_empty() { Ok(value) } else { Err(Error::Invalid(found)) }
}

fn find_nul(value: &Value, at: &mut String, found: &mut Vec<Violation>) {
    let length = at.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            found.push(Violation::new(at.clone(), "nul", "must not contain a NUL character"));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                find_nul(item, at, found);
                at.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                if name.contains('\0') {
                    found.push(Violation::new(
                        at.clone(),
                        "nul",
                        "must not have a name with a NUL character",
                    ));
                }
                at.push('/');
                at.push_str(&escape(name));
                find_nul(item, at, found);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

pub(super) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { variant } => Some(format!("/{}", escape(variant))),
            Segment::Unknown => None,
        })
        .collect()
}

/// A value as a `T` that keeps all its rules.
///
/// # Errors
/// [`Error::Invalid`] with a pointer to each rule that is broken.
pub fn read<T: DeserializeOwned + Validate>(value: Value) -> Result<T> {
    if !value.is_object() {
        return Err(Error::invalid("", "type", "must be an object"));
    }
    let input: T = serde_path_to_error::deserialize(value).map_err(|error| {
        Error::Invalid(vec![violation_from_serde(&pointer(error.path()), error.inner())])
    })?;
    input.validate().map_err(|errors| Error::Invalid(violations(&errors)))?;
    Ok(input)
}

pub(super) fn object(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::invalid("", "type", "must be an object")),
    }
}

/// Takes a field out of an object and reads it.
pub(super) fn take<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
    must: &str,
) -> Result<Option<T>> {
    match fields.remove(name) {
        None => Ok(None),
        Some(value) => match serde_json::from_value(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Error::invalid(format!("/{name}"), "type", format!("must be {must}"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_no_database_keeps_are_refused_with_a_pointer() {
        let pointers = |body: &[u8]| match parse(body) {
            Err(Error::Invalid(found)) => found.into_iter().map(|v| v.pointer).collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(pointers(br#"{"a":[1,{"b":"x\u0000"}]}"#), ["/a/1/b"]);
        assert_eq!(pointers(br#"{"a~/b":"\u0000"}"#), ["/a~0~1b"]);
        assert_eq!(pointers(br#"{"a":{"b":"\ud800"}}"#), ["/a/b"]);
        assert_eq!(pointers(br#"{"a":[1e400]}"#), ["/a/0"]);
        assert!(matches!(parse(br#"{"a":"#), Err(Error::Malformed(_))));
        assert!(matches!(parse(br#"{} {}"#), Err(Error::Malformed(_))));
        assert!(parse("{\"a\":\"\\u0041 \\\\u0000\"}".as_bytes()).is_ok());
    }
}
