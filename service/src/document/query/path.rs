//! Where a value is in a document: names, as a selector or as a JSON pointer writes them.

use std::fmt;

use serde_json::Value;

use super::refuse;
use crate::error::Violation;

/// How many names a path has at most.
pub const MAX_NAMES: usize = 20;
/// How many bytes a path has at most, as it is written.
pub const MAX_LENGTH: usize = 500;

/// The name that stands for the id of a document, where it is a whole path.
pub const ID: &str = "_id";

/// The names that lead to a value. A name of digits leads to an item of an array as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads names with dots in between, as `address.city`. A backslash takes what follows as it is: `a\.b` is
    /// the one name `a.b`, and `\$a` is `$a`.
    ///
    /// # Errors
    /// An empty name, a backslash in the end, or too many names.
    pub fn parse(text: &str, at: &str) -> Result<Self, Violation> {
        if text.len() > MAX_LENGTH {
            let message = format!("must have a length of at most {MAX_LENGTH} bytes");
            return Err(refuse(at, "length", message));
        }
        let (mut names, mut name, mut rest) = (Vec::new(), String::new(), text.chars());
        while let Some(c) = rest.next() {
            match c {
                '.' => names.push(std::mem::take(&mut name)),
                '\\' => name.push(rest.next().ok_or_else(|| invalid(at))?),
                c => name.push(c),
            }
        }
        names.push(name);
        if names.iter().any(String::is_empty) {
            return Err(invalid(at));
        }
        if names.len() > MAX_NAMES {
            return Err(refuse(at, "length", format!("must have at most {MAX_NAMES} names")));
        }
        Ok(Self(names))
    }

    /// The id of a document.
    pub fn id() -> Self {
        Self(vec![ID.to_owned()])
    }

    /// Reads a JSON pointer (RFC 6901). None if it is none, or if it is that of the whole document.
    pub fn from_pointer(pointer: &str) -> Option<Self> {
        let names = pointer.strip_prefix('/')?.split('/');
        let names = names.map(|name| name.replace("~1", "/").replace("~0", "~"));
        Some(Self(names.collect()))
    }

    /// As a JSON pointer.
    pub fn to_pointer(&self) -> String {
        self.0.iter().fold(String::new(), |at, name| super::below(&at, name))
    }

    /// Whether it leads to the value itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is the id of a document.
    pub fn is_id(&self) -> bool {
        self.0.len() == 1 && self.0[0] == ID
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// This path, and from there another.
    pub fn join(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// What is there in a value.
    pub fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, name| step(value, name))
    }

    /// What is there in an object.
    pub fn find_in<'a>(&self, object: &'a serde_json::Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(object.get(first)?, |value, name| step(value, name))
    }
}

fn step<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(index(name)?),
        _ => None,
    }
}

/// The index that a name says, as in a JSON pointer: without zeros before it.
fn index(name: &str) -> Option<usize> {
    let plain = name == "0" || !name.starts_with(['0', '+']);
    plain.then(|| name.parse().ok()).flatten()
}

fn invalid(at: &str) -> Violation {
    refuse(at, "path", "must be names with dots in between, none of them empty; \\ escapes a dot")
}

/// As a selector writes it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, name) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(".")?;
            }
            let name = name.replace('\\', "\\\\").replace('.', "\\.");
            let escape = if number == 0 && name.starts_with('$') { "\\" } else { "" };
            write!(f, "{escape}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        Path::parse(text, "").expect("a path").0
    }

    #[test]
    fn dots_separate_names() {
        assert_eq!(names("ab"), ["ab"]);
        assert_eq!(names("a.b.c"), ["a", "b", "c"]);
        assert_eq!(names("a\\.b"), ["a.b"]);
        assert_eq!(names("a.b\\.c"), ["a", "b.c"]);
        assert_eq!(names("\\$a.b\\\\"), ["$a", "b\\"]);
        for text in ["", "a..b", ".a", "a.", "a\\"] {
            assert_eq!(Path::parse(text, "/x").expect_err(text).pointer, "/x");
        }
        assert!(Path::parse(&"a.".repeat(MAX_NAMES), "").is_err());
        assert!(Path::parse(&"a".repeat(MAX_LENGTH + 1), "").is_err());
    }

    #[test]
    fn names_lead_into_objects_and_arrays() {
        let value =
            json!({ "a": { "b.c": 1 }, "d": [10, { "e": 2 }], "f": { "0": 3 }, "g": "text" });
        for (path, found) in [
            ("a.b\\.c", Some(json!(1))),
            ("d.0", Some(json!(10))),
            ("d.1.e", Some(json!(2))),
            ("d.2", None),
            ("d.00", None),
            ("d.+1", None),
            ("d.e", None),
            ("f.0", Some(json!(3))),
            ("g.0", None),
            ("a.b", None),
        ] {
            let path = Path::parse(path, "").expect("a path");
            assert_eq!(path.find(&value).cloned(), found, "{path}");
            assert_eq!(
                path.find_in(value.as_object().expect("an object")).cloned(),
                found,
                "{path}"
            );
        }
    }

    #[test]
    fn pointers_say_the_same() {
        for (pointer, path) in [("/a/b", "a.b"), ("/a~1b/c~0", "a/b.c~"), ("/a.b", "a\\.b")] {
            let read = Path::from_pointer(pointer).expect("a path");
            assert_eq!(read, Path::parse(path, "").expect("a path"));
            assert_eq!((read.to_pointer().as_str(), read.to_string().as_str()), (pointer, path));
        }
        for pointer in ["", "a"] {
            assert_eq!(Path::from_pointer(pointer), None, "{pointer}");
        }
        let empty = Path::from_pointer("/a//").expect("a path");
        let value = json!({ "a": { "": { "": 1 } } });
        assert_eq!(empty.find(&value), Some(&json!(1)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(names in proptest::collection::vec("[a$.\\\\/~é0]{1,4}", 1..5)) {
            let path = Path(names);
            prop_assert_eq!(&Path::parse(&path.to_string(), "").expect("a path"), &path);
            prop_assert_eq!(Path::from_pointer(&path.to_pointer()), Some(path));
        }
    }
}
