//! JSON as both databases keep it.

use serde_json::{Number, Value};

/// Names in ascending order, and numbers as 64-bit integers or shortest floats: SQLite keeps JSON as it is written,
/// and PostgreSQL (`jsonb`) orders names by their length and writes all digits of `1e300`.
pub fn canonical(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(shortest(number)),
        Value::Array(items) => items.into_iter().map(canonical).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            fields.into_iter().map(|(name, value)| (name, canonical(value))).collect()
        }
        other => other,
    }
}

/// The number as a 64-bit integer if it is written as one, and else as the shortest float that is read as the same.
fn shortest(number: Number) -> Number {
    if number.as_str() == "-0" {
        return Number::from_f64(-0.0).unwrap_or(number);
    }
    if number.is_i64() || number.is_u64() {
        return number;
    }
    number.as_f64().and_then(Number::from_f64).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_databases_write_in_their_own_ways_is_the_same() {
        let canonical = |json: &str| {
            let value = serde_json::from_str(json).expect("JSON");
            canonical(value).to_string()
        };
        let pairs = [
            (r#"{"b":1,"a":{"d":2,"c":3}}"#, r#"{"a":{"c":3,"d":2},"b":1}"#),
            (r#"[{"b":1,"a":2}]"#, r#"[{"a":2,"b":1}]"#),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("0.10", "0.1"),
            ("0.0000001", "1e-7"),
            ("100000000000000000000", "1e+20"),
            ("1E20", "1e+20"),
            ("-0", "-0.0"),
            ("12.0", "12.0"),
        ];
        for (written, kept) in pairs {
            assert_eq!(canonical(written), kept, "{written}");
            assert_eq!(canonical(kept), kept, "{kept}");
        }
    }
}
