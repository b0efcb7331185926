//! Changes as JSON Patch (RFC 6902): a list of operations that are applied in order, all or none.
//!
//! The crate `json-patch` compares numbers as they are written once they keep their digits, so that its `test`
//! finds `1` and `1.0` different against RFC 6902, section 4.6; it removes members by putting the last one in their
//! place, which loses the order of an object; and it bounds nothing.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, Type, schema::SchemaType},
};

use crate::{
    error::{Error, Result, Violation, Violations},
    number,
};

/// The operations of RFC 6902, section 4.
const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];
/// How many characters a pointer has at most.
const MAX_POINTER: usize = 4_096;
/// How many operations a patch has at most.
pub const MAX_OPERATIONS: usize = 1_000;
/// How many bytes what is patched may take in between, as JSON: `copy` can double it with each operation.
const MAX_BYTES: usize = 4 << 20;
/// How deep a value may be nested in between: as deep as one that is read from JSON.
const MAX_DEPTH: usize = 127;

/// A JSON Patch.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch(Vec<Operation>);

#[derive(Debug, Clone, PartialEq)]
enum Operation {
    Add(Pointer, Value),
    Remove(Pointer),
    Replace(Pointer, Value),
    Move { from: Pointer, path: Pointer },
    Copy { from: Pointer, path: Pointer },
    Test(Pointer, Value),
}

/// A JSON pointer (RFC 6901), by its unescaped tokens.
#[derive(Debug, Clone, PartialEq)]
struct Pointer(Vec<String>);

impl Patch {
    /// Below which members of a patch JSON is kept to the letter.
    pub const EXACT: &'static [&'static str] = &["*/value"];

    /// Reads a patch.
    ///
    /// # Errors
    /// [`Error::Invalid`] with a pointer to each part that is none of RFC 6902.
    pub fn read(body: Value) -> Result<Self> {
        let Value::Array(operations) = body else {
            return Err(Error::invalid("", "type", "must be an array of operations"));
        };
        if operations.len() > MAX_OPERATIONS {
            let message = format!("must have at most {MAX_OPERATIONS} operations");
            return Err(Error::invalid("", "length", message));
        }
        let (mut read, mut found) = (Vec::with_capacity(operations.len()), Vec::new());
        for (index, operation) in operations.into_iter().enumerate() {
            match Operation::read(operation, &format!("/{index}")) {
                Ok(operation) => read.push(operation),
                Err(violations) => found.extend(violations),
            }
        }
        if found.is_empty() { Ok(Self(read)) } else { Err(Error::Invalid(found)) }
    }

    /// What the patch makes of a value.
    ///
    /// # Errors
    /// [`Error::Conflicts`] with a pointer to the operation that does not fit the value, [`Error::Invalid`] where the
    /// value would be too large or too deep in between.
    pub fn apply(&self, target: Value) -> Result<Value> {
        let mut patched = target;
        let mut room = Room::of(&patched);
        for (index, operation) in self.0.iter().enumerate() {
            let at = || format!("/{index}");
            room.take(operation, &patched)
                .map_err(|it| Error::invalid(at(), it.code(), it.message()))?;
            patched = operation.apply(patched).map_err(|failed| Error::Conflicts {
                code: "patch_failed",
                detail: "an operation of the patch does not fit the resource".into(),
                violations: vec![Violation::new(at(), failed.code(), failed.message())],
            })?;
        }
        Ok(patched)
    }
}

impl PartialSchema for Patch {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX_POINTER));
        let op = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(OPERATIONS));
        let operation = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("op", op.description(Some("Operation.")))
            .required("op")
            .property("path", text().description(Some("JSON pointer, such as `/body/servings`.")))
            .required("path")
            .property("from", text().description(Some("JSON pointer, of `move` and `copy`.")))
            .property(
                "value",
                ObjectBuilder::new()
                    .schema_type(SchemaType::AnyValue)
                    .description(Some("Value, of `add`, `replace` and `test`.")),
            );
        ArrayBuilder::new()
            .items(operation)
            .max_items(Some(MAX_OPERATIONS))
            .description(Some(
                "JSON Patch (RFC 6902): operations that are applied in order, all or none.",
            ))
            .examples([json!([
                { "op": "test", "path": "/body/servings", "value": 4 },
                { "op": "replace", "path": "/body/servings", "value": 6 },
            ])])
            .into()
    }
}

impl ToSchema for Patch {
    fn name() -> Cow<'static, str> {
        "JsonPatch".into()
    }
}

impl Operation {
    fn read(operation: Value, at: &str) -> Result<Self, Violations> {
        let Value::Object(mut members) = operation else {
            return Err(vec![Violation::new(at, "type", "must be an object")]);
        };
        let mut found = Vec::new();
        let op = match members.get("op") {
            Some(Value::String(op)) => op.clone(),
            Some(_) => String::new(),
            None => {
                found.push(Violation::new(format!("{at}/op"), "required", "is required"));
                String::new()
            }
        };
        let known = OPERATIONS.contains(&&*op);
        if !known && found.is_empty() {
            let message = "must be add, remove, replace, move, copy or test";
            found.push(Violation::new(format!("{at}/op"), "value", message));
        }
        let path = Pointer::member(&members, "path", at, &mut found);
        let from = match &*op {
            "move" | "copy" => Pointer::member(&members, "from", at, &mut found),
            _ => None,
        };
        let value = match &*op {
            "add" | "replace" | "test" => members.shift_remove("value").or_else(|| {
                found.push(Violation::new(format!("{at}/value"), "required", "is required"));
                None
            }),
            _ => None,
        };
        let read = match (&*op, path, from, value) {
            ("add", Some(path), _, Some(value)) => Some(Self::Add(path, value)),
            ("remove", Some(path), _, _) => Some(Self::Remove(path)),
            ("replace", Some(path), _, Some(value)) => Some(Self::Replace(path, value)),
            ("move", Some(path), Some(from), _) => Some(Self::Move { from, path }),
            ("copy", Some(path), Some(from), _) => Some(Self::Copy { from, path }),
            ("test", Some(path), _, Some(value)) => Some(Self::Test(path, value)),
            _ => None,
        };
        read.filter(|_| found.is_empty()).ok_or(found)
    }

    fn apply(&self, mut target: Value) -> Result<Value, Failed> {
        match self {
            Self::Add(path, value) => add(target, path, value.clone()),
            Self::Remove(path) => remove(&mut target, path).map(|_| target),
            Self::Replace(path, value) => {
                *path.find_mut(&mut target)? = value.clone();
                Ok(target)
            }
            Self::Move { from, path } if from == path => {
                from.find(&target).map(|_| ()).map(|()| target)
            }
            Self::Move { from, path } if path.is_below(from) => Err(Failed::IntoItself),
            Self::Move { from, path } => {
                let moved = remove(&mut target, from)?;
                add(target, path, moved)
            }
            Self::Copy { from, path } => {
                let copied = from.find(&target)?.clone();
                add(target, path, copied)
            }
            Self::Test(path, value) => {
                if number::equal(path.find(&target)?, value) {
                    Ok(target)
                } else {
                    Err(Failed::Test)
                }
            }
        }
    }
}

/// Why an operation cannot be applied to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    /// There is nothing at a location that has to exist.
    Nowhere,
    /// A value cannot be moved into itself.
    IntoItself,
    /// The value is another one.
    Test,
}

impl Failed {
    fn code(self) -> &'static str {
        match self {
            Self::Nowhere => "no_such_location",
            Self::IntoItself => "into_itself",
            Self::Test => "test_failed",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Nowhere => "names a location that does not exist",
            Self::IntoItself => "moves a value into itself",
            Self::Test => "finds another value",
        }
    }
}

/// Why an operation is not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TooMuch {
    Bytes,
    Depth,
}

impl TooMuch {
    fn code(self) -> &'static str {
        match self {
            Self::Bytes => "length",
            Self::Depth => "depth",
        }
    }

    fn message(self) -> String {
        match self {
            Self::Bytes => format!("makes the document larger than {MAX_BYTES} bytes"),
            Self::Depth => format!("nests values deeper than {MAX_DEPTH} levels"),
        }
    }
}

/// How large the value has become, at most: what is removed from it is not given back.
struct Room {
    bytes: usize,
}

impl Room {
    fn of(value: &Value) -> Self {
        Self { bytes: size(value).0 }
    }

    fn take(&mut self, operation: &Operation, target: &Value) -> Result<(), TooMuch> {
        let (path, value) = match operation {
            Operation::Add(path, value) | Operation::Replace(path, value) => (path, Some(value)),
            Operation::Copy { from, path } | Operation::Move { from, path } => {
                (path, from.find(target).ok())
            }
            Operation::Remove(_) | Operation::Test(..) => return Ok(()),
        };
        let (bytes, depth) = value.map_or((0, 0), size);
        if depth + path.0.len() > MAX_DEPTH {
            return Err(TooMuch::Depth);
        }
        if !matches!(operation, Operation::Move { .. }) {
            self.bytes += bytes;
        }
        if self.bytes > MAX_BYTES { Err(TooMuch::Bytes) } else { Ok(()) }
    }
}

/// About how many bytes a value takes as JSON, and how deep it is.
fn size(value: &Value) -> (usize, usize) {
    match value {
        Value::Null | Value::Bool(_) => (4, 0),
        Value::Number(number) => (number.as_str().len(), 0),
        Value::String(text) => (text.len() + 2, 0),
        Value::Array(items) => items
            .iter()
            .map(size)
            .fold((2, 1), |(bytes, depth), item| (bytes + item.0 + 1, depth.max(item.1 + 1))),
        Value::Object(members) => members.iter().fold((2, 1), |(bytes, depth), (name, value)| {
            let value = size(value);
            (bytes + name.len() + value.0 + 4, depth.max(value.1 + 1))
        }),
    }
}

impl Pointer {
    fn member(
        members: &Map<String, Value>,
        name: &str,
        at: &str,
        found: &mut Violations,
    ) -> Option<Self> {
        let (code, message) = match members.get(name) {
            None => ("required", "is required"),
            Some(Value::String(text)) if text.chars().count() > MAX_POINTER => {
                ("length", "must have at most 4096 characters")
            }
            Some(Value::String(text)) => match Self::parse(text) {
                Some(pointer) => return Some(pointer),
                None => ("pointer", "must be a JSON pointer (RFC 6901)"),
            },
            Some(_) => ("type", "must be a string"),
        };
        found.push(Violation::new(format!("{at}/{name}"), code, message));
        None
    }

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let tokens = text.strip_prefix('/')?.split('/');
        tokens.map(unescape).collect::<Option<_>>().map(Self)
    }

    fn is_below(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }

    fn find<'a>(&self, target: &'a Value) -> Result<&'a Value, Failed> {
        let step = |value: &'a Value, token: &String| match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => items.get(index(token)?),
            _ => None,
        };
        self.0.iter().try_fold(target, step).ok_or(Failed::Nowhere)
    }

    fn find_mut<'a>(&self, target: &'a mut Value) -> Result<&'a mut Value, Failed> {
        let step = |value: &'a mut Value, token: &String| match value {
            Value::Object(members) => members.get_mut(token),
            Value::Array(items) => items.get_mut(index(token)?),
            _ => None,
        };
        self.0.iter().try_fold(target, step).ok_or(Failed::Nowhere)
    }

    /// The value that contains the location, and the last token; none for the whole.
    fn parent(&self) -> Option<(Self, &str)> {
        let (last, parent) = self.0.split_last()?;
        Some((Self(parent.to_vec()), last))
    }
}

fn unescape(token: &str) -> Option<String> {
    let mut escaped = token.match_indices('~');
    let valid = escaped.all(|(at, _)| matches!(token.as_bytes().get(at + 1), Some(b'0' | b'1')));
    valid.then(|| token.replace("~1", "/").replace("~0", "~"))
}

/// The index of an array that a token is: digits without leading zeros (RFC 6901, section 4).
fn index(token: &str) -> Option<usize> {
    let digits = !token.is_empty() && token.bytes().all(|it| it.is_ascii_digit());
    if !digits || (token.len() > 1 && token.starts_with('0')) {
        return None;
    }
    token.parse().ok()
}

fn add(mut target: Value, path: &Pointer, value: Value) -> Result<Value, Failed> {
    let Some((parent, last)) = path.parent() else { return Ok(value) };
    match parent.find_mut(&mut target)? {
        Value::Object(members) => _ = members.insert(last.to_owned(), value),
        Value::Array(items) => {
            let at = if last == "-" { Some(items.len()) } else { index(last) };
            let at = at.filter(|at| *at <= items.len()).ok_or(Failed::Nowhere)?;
            items.insert(at, value);
        }
        _ => return Err(Failed::Nowhere),
    }
    Ok(target)
}

/// Takes a value out. What was the whole is null then.
fn remove(target: &mut Value, path: &Pointer) -> Result<Value, Failed> {
    let Some((parent, last)) = path.parent() else { return Ok(target.take()) };
    let removed = match parent.find_mut(target)? {
        Value::Object(members) => members.shift_remove(last),
        Value::Array(items) => {
            index(last).filter(|at| *at < items.len()).map(|at| items.remove(at))
        }
        _ => None,
    };
    removed.ok_or(Failed::Nowhere)
}

#[cfg(test)]
mod tests;
