//! What clients send: JSON that is read strictly, and changes as JSON Merge Patch (RFC 7396).
//!
//! One type says what a client may write of a resource, `ExpenseInput` say. A new resource is that
//! and perhaps an id ([`Create`]); a change is a merge patch of it and a version ([`Change`]): the
//! patch is laid over the input that would make the resource as it is, and the result is read and
//! validated as a whole, under the same rules.

pub mod batch;
#[cfg(fuzzing)]
pub mod fuzz;
mod schema;

use std::{borrow::Cow, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;
use validator::Validate;

pub use schema::{batch_schema, patch_schema};

use crate::{
    error::{Error, Result, Violation, violations},
    event::Verb,
    store::versioned::Expected,
};

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
        let refuse = |code, why| Error::invalid(pointer(error.path()), code, why);
        // What is JSON, but can be kept by no database or held by no number.
        if message.contains("surrogate") || message.contains("end of hex escape") {
            refuse("surrogate", "must not contain an unpaired surrogate")
        } else if message.contains("number out of range") {
            refuse("range", "is out of range")
        } else if message.contains("recursion limit") {
            refuse("depth", "is nested too deeply")
        } else {
            Error::Malformed(message)
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

fn escape(name: &str) -> Cow<'_, str> {
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

/// What serde found wrong with a value's shape, without the value.
pub fn violation_from_serde(at: &str, error: &impl ToString) -> Violation {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let named = message.split('`').nth(1).unwrap_or_default();
    let field = || {
        let end = format!("/{}", escape(named));
        if at.ends_with(&end) { at.to_owned() } else { format!("{at}{end}") }
    };
    if message.starts_with("unknown field") {
        return Violation::new(field(), "unknown_field", "is an unknown field");
    }
    if message.starts_with("missing field") {
        return Violation::new(field(), "required", "is required");
    }
    if message.starts_with("duplicate field") {
        return Violation::new(field(), "duplicate_field", "must not be repeated");
    }
    let code = if message.starts_with("invalid type") { "type" } else { "value" };
    let message = match message.rsplit_once("expected ") {
        Some((_, expected)) => format!("must be {}", readable(expected)),
        None => "is not valid".to_owned(),
    };
    Violation::new(at, code, message)
}

fn readable(expected: &str) -> Cow<'_, str> {
    match expected {
        "i64" | "i32" | "u64" | "u32" => "an integer".into(),
        "a formatted date string" => "a date such as 2026-11-21".into(),
        other => other.into(),
    }
}

fn object(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::invalid("", "type", "must be an object")),
    }
}

/// Takes a field out of an object and reads it.
fn take<T: DeserializeOwned>(
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

/// What can be made of a body.
pub trait FromBody: Sized {
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

/// A merge patch of a resource, and the version that it was made against.
#[derive(Debug, Clone)]
pub struct Change<T> {
    version: Option<i64>,
    patch: Map<String, Value>,
    /// Whether the fields of the patch are not merged, but put in the place of those that are there.
    replaces: bool,
    of: PhantomData<fn() -> T>,
}

/// Whether the patch fits the resource shows in [`Change::apply`].
impl<T> FromBody for Change<T> {
    fn from_body(body: Value) -> Result<Self> {
        let mut patch = object(body)?;
        let version = take(&mut patch, "version", "an integer")?;
        Ok(Self { version, patch, replaces: false, of: PhantomData })
    }
}

impl<T> Change<T> {
    /// The change that makes a resource what it was, as it was shown then.
    pub fn revert_to(shown: Map<String, Value>) -> Self {
        Self { version: None, patch: shown, replaces: true, of: PhantomData }
    }

    /// The change that changes nothing.
    pub fn none() -> Self {
        Self::revert_to(Map::new())
    }

    /// How the log says it.
    pub fn verb(&self) -> Verb {
        if self.replaces { Verb::Reverted } else { Verb::Updated }
    }

    /// The version in the body.
    pub fn version(&self) -> Option<i64> {
        self.version
    }
}

impl<T: Serialize + DeserializeOwned + Validate> Change<T> {
    /// Lays the patch over what the resource is, and reads the result.
    pub fn apply(&self, current: &T) -> Result<T> {
        let mut merged = serde_json::to_value(current)
            .map_err(|error| Error::Internal(format!("an input cannot be shown: {error}")))?;
        if self.replaces {
            restore_fields(&mut merged, &self.patch);
            return read(merged);
        }
        let known = |name: &String| merged.get(name).is_some();
        let unknown: Vec<_> = self
            .patch
            .keys()
            .filter(|name| !known(name))
            .map(|name| format!("/{}", escape(name)))
            .map(|at| Violation::new(at, "unknown_field", "is an unknown field"))
            .collect();
        if !unknown.is_empty() {
            return Err(Error::Invalid(unknown));
        }
        merge(&mut merged, &Value::Object(self.patch.clone()));
        read(merged)
    }
}

/// What a client cannot write is left out, and what was not known then stays as it is.
fn restore_fields(target: &mut Value, shown: &Map<String, Value>) {
    let Value::Object(fields) = target else { return };
    let known: Vec<String> = fields.keys().cloned().collect();
    for name in known {
        match shown.get(&name) {
            None => {}
            Some(Value::Null) => _ = fields.remove(&name),
            Some(value) => _ = fields.insert(name, value.clone()),
        }
    }
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(fields) = target {
        for (name, value) in patch {
            if value.is_null() {
                fields.remove(name);
            } else {
                merge(fields.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
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
            (Some(version), Self::Precondition(other)) if version == other => precondition,
            (Some(_), _) => Self::Contradictory,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn merge_patches_as_the_rfc_shows_them() {
        let cases = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (mut target, patch, result) in cases {
            merge(&mut target, &patch);
            assert_eq!(target, result, "after {patch}");
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-z]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("[a-c]", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_merge_patch_applied_twice_is_applied_once(mut target in documents(), patch in documents()) {
            merge(&mut target, &patch);
            let once = target.clone();
            merge(&mut target, &patch);
            prop_assert_eq!(once, target);
        }

        #[test]
        fn a_merge_patch_leaves_what_it_does_not_name(fields in documents(), patch in documents()) {
            if let (Value::Object(before), Value::Object(named)) = (&fields, &patch) {
                let mut target = fields.clone();
                merge(&mut target, &patch);
                for (name, value) in before {
                    match named.get(name) {
                        None => prop_assert_eq!(target.get(name), Some(value)),
                        Some(Value::Null) => prop_assert_eq!(target.get(name), None),
                        Some(_) => {}
                    }
                }
            }
        }
    }

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
