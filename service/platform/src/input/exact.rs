//! Objects of JSON that are kept to the letter.
//!
//! serde_json makes a value of a value through integers and floats where it can, so that `-0` and `0.000001` are
//! written in another way then. An [`ExactObject`] is made of the text instead, which [`ExactDeserializer`] hands it.

use std::{fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        self, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
};
use serde_json::{Map, Value};

/// As what an exact object asks for its text.
const TOKEN: &str = "$steward::exact";

/// An object of JSON with all digits of its numbers and its names in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ExactObject(pub Map<String, Value>);

impl Deref for ExactObject {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<Map<String, Value>> for ExactObject {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

impl<'de> Deserialize<'de> for ExactObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TOKEN, ExactVisitor)
    }
}

struct ExactVisitor;

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = ExactObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// Of the text that [`ExactDeserializer`] hands over.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<ExactObject, E> {
        match serde_json::from_str(text).map_err(E::custom)? {
            Value::Object(fields) => Ok(ExactObject(fields)),
            _ => Err(E::invalid_type(Unexpected::Other("another value"), &self)),
        }
    }

    /// Of what others hand over: the text itself, for one.
    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<ExactObject, D::Error> {
        Map::deserialize(deserializer).map(ExactObject)
    }
}

/// A value that hands the text of its parts to the exact objects among them. To others it is what the value is.
pub(super) struct ExactDeserializer(pub(super) Value);

impl IntoDeserializer<'_, serde_json::Error> for ExactDeserializer {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! as_the_value {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
            self.0.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for ExactDeserializer {
    type Error = serde_json::Error;

    as_the_value! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier deserialize_map
        deserialize_ignored_any
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if name == TOKEN {
            return visitor.visit_string(self.0.to_string());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Self(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
            other => other.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Self)))
            }
            other => other.deserialize_seq(visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        count: i64,
        body: ExactObject,
        other: Option<ExactObject>,
        #[serde(default)]
        parts: Vec<Sample>,
    }

    const EXACT: &str = r#"{"z":[-0,0.000001,1e+5,1.0,1e+400],"a":100000000000000000000000000000000000000000,"":{}}"#;

    fn read(json: &str) -> Result<Sample, serde_json::Error> {
        let value: Value = serde_json::from_str(json).expect("JSON");
        Sample::deserialize(ExactDeserializer(value))
    }

    #[test]
    fn an_exact_object_is_made_of_the_text_wherever_it_stands() {
        let part = format!(r#"{{"count":1,"body":{EXACT},"other":null,"parts":[]}}"#);
        let whole = format!(r#"{{"count":2,"body":{EXACT},"other":{EXACT},"parts":[{part}]}}"#);
        let sample = read(&whole).expect("it is sound");
        assert_eq!(serde_json::to_string(&sample).expect("JSON"), whole);
        let shown = serde_json::to_value(&sample).expect("JSON");
        assert_eq!(shown.to_string(), whole);
        assert_eq!(serde_json::from_str::<Sample>(&whole).expect("it is sound"), sample);
    }

    #[test]
    fn what_is_wrong_is_said_as_of_any_value() {
        let refusal = |json| read(json).expect_err("a refusal").to_string();
        assert!(refusal(r#"{"count":1,"body":[]}"#).ends_with("expected an object"));
        assert!(refusal(r#"{"count":1,"body":null}"#).ends_with("expected an object"));
        assert!(refusal(r#"{"body":{}}"#).starts_with("missing field `count`"));
        assert!(refusal(r#"{"count":1,"body":{},"x":1}"#).starts_with("unknown field `x`"));
        assert_eq!(refusal(r#"{"count":1.5,"body":{}}"#), "invalid number");
    }
}
