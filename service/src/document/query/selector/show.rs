//! Selectors as they are written in full.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::{Condition, Operand, Selector, Test};

impl Selector {
    /// The selector in full: with the operators that were left out, and every negation at its test.
    pub fn to_json(&self) -> Value {
        self.root.to_json()
    }
}

impl Test {
    /// As a selector writes it.
    pub fn to_json(&self) -> Value {
        let values =
            |operands: &[Operand]| operands.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
        match self {
            Self::Compare(comparison, operand) => member(<&str>::from(*comparison), &operand.value),
            Self::In(listed) => json!({ "$in": values(&listed.0) }),
            Self::Exists(there) => json!({ "$exists": there }),
            Self::Type(named) => json!({ "$type": <&str>::from(*named) }),
            Self::Size(size) => json!({ "$size": size }),
            Self::All(operands) => json!({ "$all": values(operands) }),
            Self::ElemMatch(condition) => json!({ "$elemMatch": condition.to_json() }),
            Self::Regex(regex) => json!({ "$regex": regex.as_str() }),
            Self::Not(test) => match &**test {
                Self::In(listed) => json!({ "$nin": values(&listed.0) }),
                test => json!({ "$not": test.to_json() }),
            },
        }
    }
}

impl Condition {
    /// As a selector writes it.
    pub fn to_json(&self) -> Value {
        let each = |parts: &[Self]| parts.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::And(parts) if parts.is_empty() => json!({}),
            Self::And(parts) => json!({ "$and": each(parts) }),
            Self::Or(parts) => json!({ "$or": each(parts) }),
            Self::Test(path, test) if path.is_empty() => test.to_json(),
            Self::Test(path, test) => member(path, &test.to_json()),
        }
    }
}

fn member(name: impl Display, value: &Value) -> Value {
    Value::Object(Map::from_iter([(name.to_string(), value.clone())]))
}
