//! What is computed of the values of a group. null is as no value.

use std::collections::HashSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    super::{order, refuse},
    plain,
};
use crate::{
    error::Violation,
    number::{Decimal, MAX_EXPONENT},
};

/// A function of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
pub(super) enum Function {
    #[strum(serialize = "sum")]
    Sum,
    #[strum(serialize = "avg")]
    Avg,
    #[strum(serialize = "min")]
    Min,
    #[strum(serialize = "max")]
    Max,
    #[strum(serialize = "count")]
    Count,
    #[strum(serialize = "count_distinct")]
    CountDistinct,
}

/// What a function has of the values so far.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Of numbers.
    Sum(Decimal),
    /// Of numbers, and how many.
    Avg(Decimal, u64),
    /// Its bytes, and the value.
    Min(Option<(Vec<u8>, Value)>),
    /// Its bytes, and the value.
    Max(Option<(Vec<u8>, Value)>),
    Count(u64),
    /// The hashes of their bytes.
    CountDistinct(HashSet<[u8; 32]>),
}

impl State {
    pub(super) fn new(function: Function) -> Self {
        match function {
            Function::Sum => Self::Sum(Decimal::default()),
            Function::Avg => Self::Avg(Decimal::default(), 0),
            Function::Min => Self::Min(None),
            Function::Max => Self::Max(None),
            Function::Count => Self::Count(0),
            Function::CountDistinct => Self::CountDistinct(HashSet::new()),
        }
    }

    /// Takes a value, and says whether a different one is kept for it.
    pub(super) fn add(&mut self, value: &Value, at: &str) -> Result<bool, Violation> {
        match self {
            Self::Sum(sum) => {
                if let Some(number) = number(value, at)? {
                    *sum = sum.plus(&number);
                }
            }
            Self::Avg(sum, count) => {
                if let Some(number) = number(value, at)? {
                    (*sum, *count) = (sum.plus(&number), *count + 1);
                }
            }
            Self::Min(least) => keep(least, value, |new, kept| new < kept),
            Self::Max(most) => keep(most, value, |new, kept| new > kept),
            Self::Count(count) => *count += 1,
            Self::CountDistinct(hashes) => {
                return Ok(hashes.insert(Sha256::digest(order::encode(value)).into()));
            }
        }
        Ok(false)
    }

    /// The result; null of no value, but 0 of a sum and of counts.
    pub(super) fn finish(self) -> Value {
        match self {
            Self::Sum(sum) => Value::Number(sum.to_number()),
            Self::Avg(sum, count) => {
                sum.divided_by(count).map(|avg| Value::Number(avg.to_number())).unwrap_or_default()
            }
            Self::Min(kept) | Self::Max(kept) => {
                kept.map(|(_, value)| plain(&value)).unwrap_or_default()
            }
            Self::Count(count) => Value::from(count),
            Self::CountDistinct(hashes) => Value::from(hashes.len()),
        }
    }
}

fn number(value: &Value, at: &str) -> Result<Option<Decimal>, Violation> {
    let Value::Number(number) = value else { return Ok(None) };
    let number = Decimal::of(number);
    if !number.is_in_range() {
        let message =
            format!("must find numbers between 1e-{MAX_EXPONENT} and 1e{}", MAX_EXPONENT + 1);
        return Err(refuse(at, "range", message));
    }
    Ok(Some(number))
}

fn keep(kept: &mut Option<(Vec<u8>, Value)>, value: &Value, better: fn(&[u8], &[u8]) -> bool) {
    let bytes = order::encode(value);
    if kept.as_ref().is_none_or(|(known, _)| better(&bytes, known)) {
        *kept = Some((bytes, value.clone()));
    }
}
