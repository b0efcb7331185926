//! What clients keep with a row besides its fields: an object of JSON that steward does not look into.

use serde_json::{Map, Value};
use validator::ValidationError;

use crate::{json::canonical, text::refusal};

/// How many bytes of JSON it has at most.
pub const MAX_SIZE: usize = 16 * 1024;

/// Refuses more than [`MAX_SIZE`] of it.
pub fn small(details: &Map<String, Value>) -> Result<(), ValidationError> {
    let size = serde_json::to_vec(details).map_or(usize::MAX, |json| json.len());
    if size > MAX_SIZE {
        return Err(refusal("length", "must be at most 16 KiB of JSON"));
    }
    Ok(())
}

/// As it is kept: whole numbers as integers, since the databases would write `1e19` and `-0.0` each in its
/// own way.
pub fn kept(details: Map<String, Value>) -> Value {
    whole(canonical(details.into()))
}

fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            if float.fract() == 0.0 && (-9.2e18..1.8e19).contains(&float) {
                if float < 0.0 { Value::from(float as i64) } else { Value::from(float as u64) }
            } else {
                Value::Number(number)
            }
        }
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, whole(value))).collect()
        }
        other => other,
    }
}
