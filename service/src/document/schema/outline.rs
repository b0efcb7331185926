//! What is known of a schema and of a body before the one is compiled and the other checked: their bounds.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

use crate::{
    error::{Error, Result, Violation, Violations},
    input::escape,
};

/// How many bytes a schema may take as JSON.
pub(super) const MAX_SCHEMA_BYTES: usize = 256 << 10;
/// How deep a schema may be nested.
const MAX_SCHEMA_DEPTH: usize = 64;
/// How many objects and booleans a schema may have: so many subschemas, at most.
const MAX_SUBSCHEMAS: usize = 4_000;
/// How many patterns a schema may have, and how many characters one of them.
const MAX_PATTERNS: usize = 100;
const MAX_PATTERN_LENGTH: usize = 1_000;
/// How many secrets a schema may name.
const MAX_SECRETS: usize = 50;
/// How many digits, and which exponent, a number may have that is checked: arithmetic writes all of them out.
const MAX_DIGITS: usize = 1_024;
const MAX_EXPONENT: u32 = 1_024;

/// The version of JSON Schema, as `$schema` names it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Marks a text as a secret.
const SECRET: &str = "x-secret";

/// What of a schema is known without compiling it.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// How many subschemas there are, at most.
    pub(super) subschemas: usize,
    /// How many patterns there are, at most.
    pub(super) patterns: usize,
    /// The members that are secret, by the names that lead there.
    pub(super) secrets: Vec<Vec<String>>,
}

impl Outline {
    /// Goes through a schema.
    ///
    /// # Errors
    /// Which bounds it exceeds, with pointers.
    pub(super) fn of(schema: &Value) -> Result<Self, Violations> {
        if schema.to_string().len() > MAX_SCHEMA_BYTES {
            let message = format!("must take at most {MAX_SCHEMA_BYTES} bytes");
            return Err(vec![Violation::new("", "length", message)]);
        }
        let mut found = Vec::new();
        let mut outline = Self::default();
        outline.count(schema, &mut String::new(), 0, &mut found);
        if outline.subschemas > MAX_SUBSCHEMAS {
            let message = format!("must have at most {MAX_SUBSCHEMAS} objects and booleans");
            found.push(Violation::new("", "too_complex", message));
        }
        if outline.patterns > MAX_PATTERNS {
            let message = format!("must have at most {MAX_PATTERNS} patterns");
            found.push(Violation::new("", "too_complex", message));
        }
        let mut marked = Vec::new();
        find_secrets(schema, &mut Vec::new(), &mut outline.secrets);
        find_marks(schema, &mut String::new(), &mut marked);
        let honoured: Vec<_> = outline.secrets.iter().map(|names| mark_of(names)).collect();
        let elsewhere = marked.into_iter().filter(|at| !honoured.contains(at));
        let message = "must be true, and of a string that `properties` alone lead to";
        found.extend(elsewhere.map(|at| Violation::new(at, SECRET, message)));
        if outline.secrets.len() > MAX_SECRETS {
            let message = format!("must have at most {MAX_SECRETS} secrets");
            found.push(Violation::new("", "too_complex", message));
        }
        if found.is_empty() { Ok(outline) } else { Err(found) }
    }

    /// What is done at each member and item of a body without a look at it: patterns are tried on its name, and
    /// booleans answer.
    pub(super) fn weight(&self) -> u64 {
        1 + self.patterns as u64 + self.subschemas as u64 / 64
    }

    fn count(&mut self, schema: &Value, at: &mut String, depth: usize, found: &mut Violations) {
        if depth > MAX_SCHEMA_DEPTH {
            let message = format!("must be nested to at most {MAX_SCHEMA_DEPTH} levels");
            found.push(Violation::new(at.clone(), "depth", message));
            return;
        }
        match schema {
            Value::Bool(_) => self.subschemas += 1,
            Value::Number(number) => found.extend(unchecked(number, at)),
            Value::Object(members) => {
                self.subschemas += 1;
                self.count_patterns(members, at, found);
                dialect(members, at, found);
            }
            _ => {}
        }
        each(schema, at, |inner, at| self.count(inner, at, depth + 1, found));
    }

    fn count_patterns(&mut self, members: &Map<String, Value>, at: &str, found: &mut Violations) {
        let pattern = members.get("pattern").and_then(Value::as_str);
        let pattern = pattern.map(|text| (text, format!("{at}/pattern")));
        let named = members.get("patternProperties").and_then(Value::as_object).into_iter();
        let named = named
            .flat_map(|it| it.keys())
            .map(|name| (&**name, format!("{at}/patternProperties/{}", escape(name))));
        for (text, at) in pattern.into_iter().chain(named) {
            self.patterns += 1;
            if text.chars().count() > MAX_PATTERN_LENGTH {
                let message = format!("must have at most {MAX_PATTERN_LENGTH} characters");
                found.push(Violation::new(at, "length", message));
            }
        }
    }
}

/// Calls `f` with each value within a value, and the pointer to it.
fn each<'a>(value: &'a Value, at: &mut String, mut f: impl FnMut(&'a Value, &mut String)) {
    let length = at.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                _ = write!(at, "/{index}");
                f(item, at);
                at.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                at.push('/');
                at.push_str(&escape(name));
                f(item, at);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

fn dialect(members: &Map<String, Value>, at: &str, found: &mut Violations) {
    if let Some(Value::String(dialect)) = members.get("$schema")
        && dialect.trim_end_matches('#') != DIALECT
    {
        found.push(Violation::new(
            format!("{at}/$schema"),
            "$schema",
            format!("must be {DIALECT}"),
        ));
    }
}

/// The members that are marked where the mark is honoured.
fn find_secrets(schema: &Value, names: &mut Vec<String>, secrets: &mut Vec<Vec<String>>) {
    if schema.get(SECRET) == Some(&Value::Bool(true))
        && schema.get("type").and_then(Value::as_str) == Some("string")
        && !names.is_empty()
    {
        secrets.push(names.clone());
    }
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        names.push(name.clone());
        find_secrets(inner, names, secrets);
        names.pop();
    }
}

fn mark_of(names: &[String]) -> String {
    let names = names.iter().map(|name| format!("/properties/{}", escape(name)));
    format!("{}/{SECRET}", names.collect::<String>())
}

/// The pointers to all marks. A member of a body of that name is none.
fn find_marks(schema: &Value, at: &mut String, marks: &mut Vec<String>) {
    let is_member = at.rsplit('/').next() == Some("properties");
    if !is_member && schema.get(SECRET).is_some() {
        marks.push(format!("{at}/{SECRET}"));
    }
    each(schema, at, |inner, at| find_marks(inner, at, marks));
}

/// Why a number cannot be computed with.
fn unchecked(number: &Number, at: &str) -> Option<Violation> {
    let written = number.as_str();
    let exponent = written.split_once(['e', 'E']).map_or("0", |(_, exponent)| exponent);
    let small = |exponent: i32| exponent.unsigned_abs() <= MAX_EXPONENT;
    let computable = written.len() <= MAX_DIGITS
        && exponent.parse().is_ok_and(small)
        && number.as_f64().is_some();
    (!computable).then(|| Violation::new(at, "range", "is out of the range that a schema checks"))
}

/// What of a body is known before it is checked.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// How deep it is nested.
    pub(super) depth: usize,
    /// How many bytes the longest pointer into it has.
    pub(super) longest_path: usize,
}

impl Shape {
    /// Goes through a body.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers to numbers that no schema checks.
    pub(super) fn of_members(body: &Map<String, Value>) -> Result<Self> {
        let (mut shape, mut found) = (Self::default(), Vec::new());
        for (name, value) in body {
            shape.measure(value, &mut format!("/{}", escape(name)), 1, &mut found);
        }
        shape.unless(found)
    }

    /// As [`Self::of_members`], of any value.
    #[cfg(test)]
    pub(super) fn of(value: &Value) -> Result<Self> {
        let (mut shape, mut found) = (Self::default(), Vec::new());
        shape.measure(value, &mut String::new(), 0, &mut found);
        shape.unless(found)
    }

    fn unless(self, found: Violations) -> Result<Self> {
        if found.is_empty() { Ok(self) } else { Err(Error::Invalid(found)) }
    }

    fn measure(&mut self, value: &Value, at: &mut String, depth: usize, found: &mut Violations) {
        self.depth = self.depth.max(depth);
        self.longest_path = self.longest_path.max(at.len());
        if let Value::Number(number) = value
            && found.len() < super::MAX_VIOLATIONS
        {
            found.extend(unchecked(number, at));
        }
        each(value, at, |inner, at| self.measure(inner, at, depth + 1, found));
    }
}
