//! Which members of a body are returned.

use serde_json::{Map, Value, map::Entry};

use super::{below, path::Path, refuse};
use crate::error::Violation;

/// How many fields may be named.
pub const MAX_FIELDS: usize = 100;

/// The paths that are returned, each where it is; all of the body if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<Path>);

impl Fields {
    /// Reads paths.
    ///
    /// # Errors
    /// The first that is none, with a pointer below `at`.
    pub fn parse(fields: &[String], at: &str) -> Result<Self, Violation> {
        if fields.len() > MAX_FIELDS {
            let message = format!("must have at most {MAX_FIELDS} items");
            return Err(refuse(at, "length", message));
        }
        let paths =
            fields.iter().enumerate().map(|(index, text)| Path::parse(text, &below(at, index)));
        Ok(Self(paths.collect::<Result<_, _>>()?))
    }

    /// What these are of a body, in the order of the fields. A path that leads into an array makes objects.
    pub fn project(&self, body: Map<String, Value>) -> Map<String, Value> {
        if self.0.is_empty() {
            return body;
        }
        let mut projected = Map::new();
        for path in &self.0 {
            if let Some(value) = path.find_in(&body) {
                put(&mut projected, path.names(), value);
            }
        }
        projected
    }
}

fn put(object: &mut Map<String, Value>, names: &[String], value: &Value) {
    let Some((first, rest)) = names.split_first() else { return };
    match object.entry(first) {
        Entry::Vacant(entry) => {
            let mut inner = value.clone();
            if !rest.is_empty() {
                let mut members = Map::new();
                put(&mut members, rest, value);
                inner = Value::Object(members);
            }
            entry.insert(inner);
        }
        Entry::Occupied(mut entry) if rest.is_empty() => {
            entry.insert(value.clone());
        }
        Entry::Occupied(mut entry) => {
            // What is no object has been taken as a whole.
            if let Value::Object(members) = entry.get_mut() {
                put(members, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn project(fields: &[&str], body: Value) -> Value {
        let fields: Vec<_> = fields.iter().map(|field| (*field).to_owned()).collect();
        let fields = Fields::parse(&fields, "/fields").expect("fields");
        Value::Object(fields.project(body.as_object().expect("an object").clone()))
    }

    #[test]
    fn fields_are_taken_where_they_are() {
        let body = || {
            json!({
                "a": 1, "b": { "c": 2, "d": 3 }, "e": [{ "f": 4 }], "x.y": 5, "$key": 6, "z": null,
            })
        };
        for (fields, projected) in [
            (&[][..], body()),
            (&["a"], json!({ "a": 1 })),
            (&["z", "nothing"], json!({ "z": null })),
            (&["b.d", "b.c"], json!({ "b": { "d": 3, "c": 2 } })),
            (&["b.c", "b"], json!({ "b": { "c": 2, "d": 3 } })),
            (&["b", "b.c"], json!({ "b": { "c": 2, "d": 3 } })),
            (&["e.0.f"], json!({ "e": { "0": { "f": 4 } } })),
            (&["e", "e.0.f"], json!({ "e": [{ "f": 4 }] })),
            (&["x\\.y", "$key", "b.nothing"], json!({ "x.y": 5, "$key": 6 })),
        ] {
            assert_eq!(project(fields, body()).to_string(), projected.to_string(), "{fields:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let refused =
            Fields::parse(&["a".to_owned(), "b..c".to_owned()], "/fields").expect_err("a path");
        assert_eq!((refused.pointer.as_str(), &*refused.code), ("/fields/1", "path"));
        assert!(Fields::parse(&vec!["a".to_owned(); MAX_FIELDS + 1], "/fields").is_err());
    }
}
