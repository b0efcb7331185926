//! What the value at a path is tested for.

use regex::Regex;
use serde_json::Value;

use super::{
    super::order::{self, Type},
    Condition,
};

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// As it was sent.
    pub value: Value,
    /// As it is compared.
    pub bytes: Vec<u8>,
}

impl Operand {
    /// A value.
    pub fn of(value: &Value) -> Self {
        Self { value: value.clone(), bytes: order::encode(value) }
    }
}

/// A comparison in the order of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
pub enum Comparison {
    /// Equal.
    #[strum(serialize = "$eq")]
    Equal,
    /// Not equal.
    #[strum(serialize = "$ne")]
    NotEqual,
    /// Greater.
    #[strum(serialize = "$gt")]
    Greater,
    /// Greater, or equal.
    #[strum(serialize = "$gte")]
    GreaterOrEqual,
    /// Less.
    #[strum(serialize = "$lt")]
    Less,
    /// Less, or equal.
    #[strum(serialize = "$lte")]
    LessOrEqual,
}

impl Comparison {
    fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Greater => Self::LessOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Less => Self::GreaterOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }
}

/// Values of which one is to be found, in the order of their bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed(pub Vec<Operand>);

impl Listed {
    /// Values, each once.
    pub(super) fn new(values: &[Value]) -> Self {
        let mut operands: Vec<_> = values.iter().map(Operand::of).collect();
        operands.sort_by(|one, other| one.bytes.cmp(&other.bytes));
        operands.dedup_by(|one, other| one.bytes == other.bytes);
        Self(operands)
    }

    /// Whether a value is one of these.
    pub fn has(&self, value: &Value) -> bool {
        let longest = self.0.iter().map(|operand| operand.bytes.len()).max();
        let Some(longest) = longest else { return false };
        let bytes = order::encode_to(value, longest + 1);
        self.0.binary_search_by(|operand| operand.bytes.cmp(&bytes)).is_ok()
    }
}

/// What a value is tested for.
#[derive(Debug, Clone)]
pub enum Test {
    /// How it compares.
    Compare(Comparison, Operand),
    /// Whether it or one of its elements is one of these.
    In(Listed),
    /// Whether it is there.
    Exists(bool),
    /// Its type.
    Type(Type),
    /// How many elements it has.
    Size(u64),
    /// Which elements it has.
    All(Vec<Operand>),
    /// What one of its elements is.
    ElemMatch(Box<Condition>),
    /// What a part of it matches.
    Regex(Regex),
    /// It is there, and not so.
    Not(Box<Self>),
}

impl Test {
    /// The contrary, where there is a value; `$exists` has its own.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Compare(comparison, operand) => Self::Compare(comparison.negated(), operand),
            Self::Exists(there) => Self::Exists(!there),
            Self::Not(test) => *test,
            test => Self::Not(Box::new(test)),
        }
    }
}
