//! Bodies as the validator looks at them: each look is a step, and after too many of them the check ends.
//!
//! Without that, a schema of a few lines takes hours on a body of a few lines: `anyOf` within `anyOf` doubles the
//! work with each level.

use std::{
    any::Any,
    borrow::Cow,
    cell::Cell,
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr, slice,
};

use jsonschema::{
    JsonType,
    json::{self, Json, JsonNumber, NodeIdentity},
};
use serde_json::{Map, Number, Value, map};

use crate::number;

/// The representation of bodies.
pub(super) struct Metered;

/// A value of a body, the body itself, or one of its names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node<'a> {
    Value(&'a Value),
    Members(&'a Map<String, Value>),
    Name(&'a str),
}

/// What is charged besides a step for each look.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tariff {
    /// For each member and item that is gone through: what the schema does there without looking.
    pub(super) step: u64,
    /// For each error: the length of the longest path in the body, which an error holds a copy of.
    pub(super) error: usize,
}

/// A check has taken too many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

thread_local! {
    static STEPS_LEFT: Cell<u64> = const { Cell::new(0) };
    static TARIFF: Cell<Tariff> = const { Cell::new(Tariff { step: 0, error: 0 }) };
}

/// Runs a check that may take this many steps.
///
/// # Errors
/// What it has panicked with, if it did not end for its steps.
pub(super) fn within<T>(
    steps: u64,
    tariff: Tariff,
    work: impl FnOnce() -> T,
) -> Result<Result<T, Exhausted>, Box<dyn Any + Send>> {
    STEPS_LEFT.set(steps);
    TARIFF.set(tariff);
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Ok(Ok(value)),
        Err(payload) => payload.downcast::<Exhausted>().map(|exhausted| Err(*exhausted)),
    }
}

/// Takes steps. Where none are left, it unwinds to [`within`]: there is no other way out of the validator, and this
/// one calls no panic hook.
fn spend(steps: u64) {
    match STEPS_LEFT.get().checked_sub(steps) {
        Some(left) => STEPS_LEFT.set(left),
        None => resume_unwind(Box::new(Exhausted)),
    }
}

fn spend_on_text(text: &str) {
    spend(1 + text.len() as u64 / 16);
}

impl Json for Metered {
    type Node<'a> = Node<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Node<'_>) -> T) -> T {
        f(Node::Name(string))
    }
}

/// A number of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numeric<'a>(&'a Number);

impl JsonNumber for Numeric<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.as_u64()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn as_str(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }

    fn to_number(&self) -> Cow<'_, Number> {
        spend(10);
        Cow::Borrowed(self.0)
    }
}

impl<'a> json::Node<'a, Metered> for Node<'a> {
    type Object = Members<'a>;
    type Array = Items<'a>;
    type Number = Numeric<'a>;

    fn as_object(&self) -> Option<Members<'a>> {
        spend(1);
        match *self {
            Self::Value(Value::Object(members)) | Self::Members(members) => Some(Members(members)),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Items<'a>> {
        spend(1);
        match self {
            Self::Value(Value::Array(items)) => Some(Items(items)),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        let text = match *self {
            Self::Value(Value::String(text)) => text,
            Self::Name(name) => name,
            _ => {
                spend(1);
                return None;
            }
        };
        spend_on_text(text);
        Some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<Numeric<'a>> {
        spend(1);
        match self {
            Self::Value(Value::Number(number)) => Some(Numeric(number)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        spend(1);
        match self {
            Self::Value(Value::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        spend(1);
        matches!(self, Self::Value(Value::Null))
    }

    fn json_type(&self) -> JsonType {
        spend(1);
        match self {
            Self::Value(Value::Null) => JsonType::Null,
            Self::Value(Value::Bool(_)) => JsonType::Boolean,
            Self::Value(Value::Number(_)) => JsonType::Number,
            Self::Value(Value::String(_)) | Self::Name(_) => JsonType::String,
            Self::Value(Value::Array(_)) => JsonType::Array,
            Self::Value(Value::Object(_)) | Self::Members(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        spend(1);
        match (*self, expected) {
            (Self::Value(value), expected) => equals(value, expected),
            (Self::Name(name), Value::String(expected)) => name == expected,
            (Self::Members(members), Value::Object(expected)) => equal_members(members, expected),
            _ => false,
        }
    }

    /// What an error would show: nothing, so that none holds a part of the body.
    fn to_value(&self) -> Cow<'a, Value> {
        spend(100 + TARIFF.get().error as u64 / 16);
        Cow::Owned(Value::Null)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        spend(1);
        Some(match *self {
            Self::Value(value) => NodeIdentity::new(ptr::from_ref(value).addr()),
            Self::Members(members) => NodeIdentity::new(ptr::from_ref(members).addr()),
            Self::Name(name) => NodeIdentity::tagged(name.as_ptr().addr(), 1),
        })
    }
}

fn equals(value: &Value, expected: &Value) -> bool {
    spend(1);
    match (value, expected) {
        (Value::Array(items), Value::Array(expected)) => {
            items.len() == expected.len()
                && items.iter().zip(expected).all(|(item, expected)| equals(item, expected))
        }
        (Value::Object(members), Value::Object(expected)) => equal_members(members, expected),
        (value, expected) => number::equal(value, expected),
    }
}

fn equal_members(members: &Map<String, Value>, expected: &Map<String, Value>) -> bool {
    members.len() == expected.len()
        && members
            .iter()
            .all(|(name, value)| expected.get(name).is_some_and(|it| equals(value, it)))
}

/// The members of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> json::Object<'a, Metered> for Members<'a> {
    type Node = Node<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, key: &String) -> Option<Node<'a>> {
        spend(1);
        self.0.get(key).map(Node::Value)
    }

    fn members(&self) -> MembersIter<'a> {
        spend(1);
        MembersIter(self.0.iter())
    }
}

/// Goes through the members of an object.
pub(super) struct MembersIter<'a>(map::Iter<'a>);

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.next()?;
        spend(TARIFF.get().step);
        spend_on_text(name);
        Some((name, Node::Value(value)))
    }
}

/// The items of an array.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items<'a>(&'a [Value]);

impl<'a> json::Array<'a, Metered> for Items<'a> {
    type Node = Node<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn elements(&self) -> ItemsIter<'a> {
        spend(1);
        ItemsIter(self.0.iter())
    }

    /// By their texts, which takes as many steps as they are long, and not their number squared.
    fn is_unique(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.0.len());
        self.0.iter().all(|item| {
            let identity = number::identity(item);
            spend_on_text(&identity);
            seen.insert(identity)
        })
    }
}

/// Goes through the items of an array.
pub(super) struct ItemsIter<'a>(slice::Iter<'a, Value>);

impl<'a> Iterator for ItemsIter<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.0.next()?;
        spend(TARIFF.get().step);
        Some(Node::Value(item))
    }
}
