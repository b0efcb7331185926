//! The order of JSON values, as bytes: of two values the smaller one has the smaller bytes, and equal values have
//! the same.
//!
//! null < false < true < numbers, by their exact value < strings, by their bytes in UTF-8 < arrays, element by
//! element, and the shorter first < objects, member by member in the order of the names: the name, then the value,
//! and fewer first.
//!
//! An index and a sort take the first [`MAX_KEY`] bytes of these: values that are equal that far are in the order of
//! their documents' ids. What has no value comes first: it has no bytes.
//!
//! | value | bytes |
//! |---|---|
//! | null, false, true | a tag |
//! | number | tag, sign, exponent, pairs of digits + 1, `00`; after the sign of a negative one all are inverted |
//! | string | tag, its bytes with `00 FF` for `00`, `00` |
//! | array | tag, its elements, `00` |
//! | object | tag, for each member its name as a string and its value, `00` |
//!
//! No encoding is the beginning of another.

use std::{cmp::Ordering, sync::LazyLock};

use base64::{
    Engine,
    alphabet::Alphabet,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use serde_json::{Map, Number, Value};

use crate::number::{Decimal, MAX_EXPONENT};

/// How many bytes of a value an index and a sort take.
pub const MAX_KEY: usize = 1_024;

const END: u8 = 0x00;
const NULL: u8 = 0x10;
const FALSE: u8 = 0x20;
const TRUE: u8 = 0x21;
const NUMBER: u8 = 0x30;
const STRING: u8 = 0x40;
const ARRAY: u8 = 0x50;
const OBJECT: u8 = 0x60;

const NEGATIVE: u8 = 0x01;
const ZERO: u8 = 0x02;
const POSITIVE: u8 = 0x03;

/// What no value begins with, and is larger than all of them.
pub const BEYOND: u8 = 0xff;

/// The types of JSON, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
pub enum Type {
    /// null.
    #[strum(serialize = "null")]
    Null,
    /// false and true.
    #[strum(serialize = "boolean")]
    Boolean,
    /// Numbers.
    #[strum(serialize = "number")]
    Number,
    /// Strings.
    #[strum(serialize = "string")]
    String,
    /// Arrays.
    #[strum(serialize = "array")]
    Array,
    /// Objects.
    #[strum(serialize = "object")]
    Object,
}

impl Type {
    /// The type of a value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// The least that the values of this type begin with, and what is larger than all of them.
    pub fn bounds(self) -> (u8, u8) {
        match self {
            Self::Null => (NULL, FALSE),
            Self::Boolean => (FALSE, NUMBER),
            Self::Number => (NUMBER, STRING),
            Self::String => (STRING, ARRAY),
            Self::Array => (ARRAY, OBJECT),
            Self::Object => (OBJECT, BEYOND),
        }
    }
}

/// The bytes of a value.
pub fn encode(value: &Value) -> Vec<u8> {
    encode_to(value, usize::MAX)
}

/// The bytes that an index and a sort take of a value; none if there is no value.
pub fn key(value: Option<&Value>) -> Vec<u8> {
    value.map(|value| encode_to(value, MAX_KEY)).unwrap_or_default()
}

/// The first bytes of a value, at most that many.
pub fn encode_to(value: &Value, limit: usize) -> Vec<u8> {
    let mut encoder = Encoder { bytes: Vec::new(), limit };
    encoder.value(value);
    encoder.bytes
}

/// The string of which these are the bytes, if they are those of a string, and all of them.
pub fn decode_string(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes.strip_prefix(&[STRING])?.strip_suffix(&[END])?.iter();
    let mut text = Vec::new();
    while let Some(byte) = rest.next() {
        text.push(*byte);
        if *byte == END && rest.next() != Some(&BEYOND) {
            return None;
        }
    }
    String::from_utf8(text).ok()
}

/// How a value compares with one that is encoded.
pub fn compare(value: &Value, encoded: &[u8]) -> Ordering {
    // One byte more shows which is longer: neither is the beginning of the other.
    encode_to(value, encoded.len().saturating_add(1)).as_slice().cmp(encoded)
}

/// The bytes as text in the same order, for databases: their collation is that of bytes.
pub fn to_text(bytes: &[u8]) -> String {
    TEXT.encode(bytes)
}

/// Base64 with its characters in the order of their codes.
static TEXT: LazyLock<GeneralPurpose> = LazyLock::new(|| {
    let characters = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    GeneralPurpose::new(&Alphabet::new(characters).expect("64 characters"), NO_PAD)
});

struct Encoder {
    bytes: Vec<u8>,
    limit: usize,
}

impl Encoder {
    fn is_full(&self) -> bool {
        self.bytes.len() >= self.limit
    }

    fn push(&mut self, byte: u8) {
        if !self.is_full() {
            self.bytes.push(byte);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.push(NULL),
            Value::Bool(false) => self.push(FALSE),
            Value::Bool(true) => self.push(TRUE),
            Value::Number(number) => self.number(number),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.push(ARRAY);
                for item in items {
                    if self.is_full() {
                        return;
                    }
                    self.value(item);
                }
                self.push(END);
            }
            Value::Object(members) => self.object(members),
        }
    }

    fn object(&mut self, members: &Map<String, Value>) {
        self.push(OBJECT);
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        for (name, member) in sorted {
            if self.is_full() {
                return;
            }
            self.string(name);
            self.value(member);
        }
        self.push(END);
    }

    fn string(&mut self, text: &str) {
        self.push(STRING);
        for byte in text.bytes() {
            if self.is_full() {
                return;
            }
            self.push(byte);
            if byte == END {
                self.push(BEYOND);
            }
        }
        self.push(END);
    }

    fn number(&mut self, number: &Number) {
        let number = Decimal::of(number);
        self.push(NUMBER);
        if number.digits().is_empty() {
            return self.push(ZERO);
        }
        let (sign, mask) = if number.is_negative() { (NEGATIVE, 0xff) } else { (POSITIVE, 0) };
        self.push(sign);
        // No document of steward's own has numbers out of range; those of other stores are at its ends.
        let exponent = number.exponent().clamp(-MAX_EXPONENT - 1, MAX_EXPONENT + 2);
        let exponent = u16::try_from(exponent + 0x8000).unwrap_or(0);
        for byte in exponent.to_be_bytes() {
            self.push(byte ^ mask);
        }
        for pair in number.digits().chunks(2) {
            if self.is_full() {
                return;
            }
            let pair = pair[0] * 10 + pair.get(1).copied().unwrap_or(0);
            self.push((pair + 1) ^ mask);
        }
        self.push(END ^ mask);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{super::generate, *};

    fn value(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    /// The order as it is said, without bytes.
    fn naive(one: &Value, other: &Value) -> Ordering {
        let rank = |value: &Value| Type::of(value) as u8;
        match (one, other) {
            (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
            (Value::Number(one), Value::Number(other)) => Decimal::of(one).cmp(&Decimal::of(other)),
            (Value::String(one), Value::String(other)) => one.as_bytes().cmp(other.as_bytes()),
            (Value::Array(one), Value::Array(other)) => {
                let pairs = one.iter().zip(other);
                let mut differing = pairs.map(|(one, other)| naive(one, other));
                let first = differing.find(|order| order.is_ne());
                first.unwrap_or_else(|| one.len().cmp(&other.len()))
            }
            (Value::Object(one), Value::Object(other)) => {
                let sorted = |object: &Map<String, Value>| {
                    let mut members: Vec<_> = object.clone().into_iter().collect();
                    members.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
                    members
                };
                let (one, other) = (sorted(one), sorted(other));
                let pairs = one.iter().zip(&other);
                let mut differing = pairs.map(|((name, value), (other_name, other_value))| {
                    let names = name.as_bytes().cmp(other_name.as_bytes());
                    names.then_with(|| naive(value, other_value))
                });
                let first = differing.find(|order| order.is_ne());
                first.unwrap_or_else(|| one.len().cmp(&other.len()))
            }
            _ => rank(one).cmp(&rank(other)),
        }
    }

    #[test]
    fn values_are_in_their_order() {
        let ascending = [
            "null",
            "false",
            "true",
            "-1e9999",
            "-10",
            "-9.5",
            "-9",
            "-1e-9999",
            "0",
            "1e-9999",
            "0.1",
            "0.11",
            "1",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e9999",
            r#""""#,
            r#""\u0000""#,
            r#""\u0000a""#,
            r#""a""#,
            r#""a\u0000""#,
            r#""aa""#,
            r#""é""#,
            r#""😀""#,
            "[]",
            "[null]",
            "[null, null]",
            r#"["a"]"#,
            r#"["a", 1]"#,
            r#"["aa"]"#,
            "[[]]",
            "{}",
            r#"{"a": 1}"#,
            r#"{"a": 1, "b": null}"#,
            r#"{"a": 2}"#,
            r#"{"b": 0}"#,
        ];
        for pair in ascending.windows(2) {
            assert!(encode(&value(pair[0])) < encode(&value(pair[1])), "{pair:?}");
            assert_eq!(naive(&value(pair[0]), &value(pair[1])), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn equal_values_have_the_same_bytes() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("0", "-0"),
            ("0", "-0.0e5"),
            ("[100]", "[1E2]"),
            (r#"{"a": 1, "b": 2}"#, r#"{"b": 2.0, "a": 1}"#),
        ] {
            assert_eq!(encode(&value(one)), encode(&value(other)), "{one} {other}");
        }
    }

    #[test]
    fn a_key_is_the_beginning_of_a_value() {
        let long = json!("x".repeat(5_000));
        assert_eq!(key(Some(&long)), encode(&long)[..MAX_KEY]);
        assert_eq!(key(None), Vec::<u8>::new());
        assert!(key(None) < key(Some(&Value::Null)));
        let last = encode(&json!({ "\u{10ffff}": 1 }));
        assert!(last < vec![BEYOND]);
    }

    #[test]
    fn the_values_of_a_type_are_within_its_bounds() {
        for text in
            ["null", "false", "true", "-1e99", "7", r#""""#, r#""z""#, "[{}]", r#"{"z": 1}"#]
        {
            let value = value(text);
            let (from, to) = Type::of(&value).bounds();
            let bytes = encode(&value);
            assert!(vec![from] <= bytes && bytes < vec![to], "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_are_ordered_as_values(one in generate::value(), other in generate::value()) {
            let expected = naive(&one, &other);
            let (one_bytes, other_bytes) = (encode(&one), encode(&other));
            prop_assert_eq!(one_bytes.cmp(&other_bytes), expected);
            prop_assert_eq!(compare(&one, &other_bytes), expected);
            if expected.is_ne() {
                prop_assert!(!one_bytes.starts_with(&other_bytes));
                prop_assert!(!other_bytes.starts_with(&one_bytes));
            }
        }

        #[test]
        fn strings_are_read_back(text in ".*") {
            let bytes = encode(&json!(text));
            prop_assert_eq!(decode_string(&bytes), Some(text));
            prop_assert_eq!(decode_string(&bytes[..bytes.len() - 1]), None);
        }

        #[test]
        fn text_is_ordered_as_bytes(one: Vec<u8>, other: Vec<u8>) {
            prop_assert_eq!(to_text(&one).cmp(&to_text(&other)), one.cmp(&other));
        }

        #[test]
        fn a_limit_takes_the_beginning(value in generate::value(), limit in 0_usize..40) {
            let whole = encode(&value);
            prop_assert_eq!(encode_to(&value, limit), &whole[..limit.min(whole.len())]);
        }
    }
}
