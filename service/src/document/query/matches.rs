//! Whether a document is so.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{
    order::{self, Type},
    path::Path,
    selector::{Comparison, Condition, Operand, Selector, Test},
};

/// A document as selectors see it: its body, and its id as `_id`.
#[derive(Debug)]
pub struct Subject<'a> {
    id: Value,
    body: &'a Map<String, Value>,
}

impl<'a> Subject<'a> {
    /// A document.
    pub fn new(id: &str, body: &'a Map<String, Value>) -> Self {
        Self { id: Value::from(id), body }
    }

    /// What it has at a path.
    pub fn find(&self, path: &Path) -> Option<&Value> {
        match path.names() {
            [] => None,
            [only] if only == super::path::ID => Some(&self.id),
            _ => path.find_in(self.body),
        }
    }
}

impl Selector {
    /// Whether a document is one of those.
    pub fn matches(&self, document: &Subject<'_>) -> bool {
        self.root.holds(&|path| document.find(path))
    }
}

impl Condition {
    fn holds<'a>(&self, find: &dyn Fn(&Path) -> Option<&'a Value>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(find)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(find)),
            Self::Test(path, test) => match find(path) {
                Some(value) => test.holds(value),
                None => matches!(test, Test::Exists(false)),
            },
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Compare(comparison, operand) => comparison.holds(value, operand),
            Self::In(listed) => match value {
                Value::Array(items) => items.iter().any(|item| listed.has(item)),
                value => listed.has(value),
            },
            Self::Exists(there) => *there,
            Self::Type(expected) => Type::of(value) == *expected,
            Self::Size(size) => {
                value.as_array().is_some_and(|items| u64::try_from(items.len()) == Ok(*size))
            }
            Self::All(operands) => {
                value.as_array().is_some_and(|items| has_all(items, operands, value))
            }
            Self::ElemMatch(condition) => value.as_array().is_some_and(|items| {
                items.iter().any(|item| condition.holds(&|path| path.find(item)))
            }),
            Self::Regex(regex) => value.as_str().is_some_and(|text| regex.is_match(text)),
            Self::Not(test) => !test.holds(value),
        }
    }
}

fn has_all(items: &[Value], operands: &[Operand], whole: &Value) -> bool {
    let equal = |value: &Value, operand: &Operand| order::compare(value, &operand.bytes).is_eq();
    let has = |operand| items.iter().any(|item| equal(item, operand));
    match operands {
        [only] if only.value.is_array() && equal(whole, only) => true,
        operands => operands.iter().all(has),
    }
}

impl Comparison {
    fn holds(self, value: &Value, operand: &Operand) -> bool {
        let order = order::compare(value, &operand.bytes);
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
        }
    }
}
