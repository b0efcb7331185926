//! Changes: JSON Merge Patch (RFC 7396), JSON Patch (RFC 6902), and what a revert puts back.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use validator::Validate;

use super::{
    FromBody,
    json::{escape, object, read, take},
    patch::Patch,
};
use crate::{
    error::{Error, Result, Violation},
    event::Verb,
};

/// A change of a resource, and the version that it was made against.
#[derive(Debug, Clone)]
pub struct Change<T> {
    version: Option<i64>,
    edit: Edit,
    of: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone)]
enum Edit {
    /// A merge patch.
    Merge(Map<String, Value>),
    /// Fields that are put in the place of those that are there.
    Restore(Map<String, Value>),
    /// A JSON Patch.
    Operations(Patch),
}

/// Whether the patch fits the resource shows in [`Change::apply`].
impl<T> FromBody for Change<T> {
    fn from_body(body: Value) -> Result<Self> {
        let mut patch = object(body)?;
        let version = take(&mut patch, "version", "an integer")?;
        Ok(Self { version, ..Self::of(Edit::Merge(patch)) })
    }
}

/// It names no version: the precondition does.
impl<T> From<Patch> for Change<T> {
    fn from(patch: Patch) -> Self {
        Self::of(Edit::Operations(patch))
    }
}

impl<T> Change<T> {
    fn of(edit: Edit) -> Self {
        Self { version: None, edit, of: PhantomData }
    }

    /// The change that makes a resource what it was, as it was shown then.
    pub fn revert_to(shown: Map<String, Value>) -> Self {
        Self::of(Edit::Restore(shown))
    }

    /// The change that changes nothing.
    pub fn none() -> Self {
        Self::revert_to(Map::new())
    }

    /// How the log says it.
    pub fn verb(&self) -> Verb {
        match self.edit {
            Edit::Restore(_) => Verb::Reverted,
            Edit::Merge(_) | Edit::Operations(_) => Verb::Updated,
        }
    }

    /// The version in the body.
    pub fn version(&self) -> Option<i64> {
        self.version
    }
}

impl<T: Serialize + DeserializeOwned + Validate> Change<T> {
    /// Makes the change to what the resource is, and reads the result.
    pub fn apply(&self, current: &T) -> Result<T> {
        let mut merged = serde_json::to_value(current)
            .map_err(|error| Error::Internal(format!("an input cannot be shown: {error}")))?;
        match &self.edit {
            Edit::Restore(shown) => restore_fields(&mut merged, shown),
            Edit::Merge(patch) => {
                refuse_unknown(&merged, patch)?;
                merge(&mut merged, &Value::Object(patch.clone()));
            }
            Edit::Operations(patch) => merged = patch.apply(merged)?,
        }
        read(merged)
    }
}

fn refuse_unknown(target: &Value, patch: &Map<String, Value>) -> Result<()> {
    let mut unknown: Vec<_> = patch
        .keys()
        .filter(|name| target.get(name).is_none())
        .map(|name| format!("/{}", escape(name)))
        .map(|at| Violation::new(at, "unknown_field", "is an unknown field"))
        .collect();
    unknown.sort_unstable_by(|one, other| one.pointer.cmp(&other.pointer));
    if unknown.is_empty() { Ok(()) } else { Err(Error::Invalid(unknown)) }
}

/// What a client cannot write is left out, and what was not known then stays as it is.
fn restore_fields(target: &mut Value, shown: &Map<String, Value>) {
    let Value::Object(fields) = target else { return };
    let known: Vec<String> = fields.keys().cloned().collect();
    for name in known {
        match shown.get(&name) {
            None => {}
            Some(Value::Null) => _ = fields.shift_remove(&name),
            Some(value) => _ = fields.insert(name, value.clone()),
        }
    }
}

/// RFC 7396, section 2.
pub(super) fn merge(target: &mut Value, patch: &Value) {
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
                fields.shift_remove(name);
            } else {
                merge(fields.entry(name.clone()).or_insert(Value::Null), value);
            }
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
}
