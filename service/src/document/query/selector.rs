//! Selectors: which documents. The operators and rules are those of CouchDB's Mango (`_find`):
//!
//! - The members of an object hold together (`$and`), and a value that is no object of operators or of further names
//!   is equal (`$eq`). `{"a": {"b": 1}}` is `{"a.b": 1}`, and `{"a": {}}` is `{"a": {"$eq": {}}}`.
//! - Where there is no value nothing holds but `{"$exists": false}`: neither `$ne` nor `$nin`, nor the negation of
//!   a test. So a negation is one of each test (De Morgan), and not of whether a document was found.
//! - Values of different types are compared as well ([`super::order`]): `{"$lt": 1}` finds null, false and true.
//!
//! | operator | holds if the value |
//! |---|---|
//! | `$eq` `$ne` `$gt` `$gte` `$lt` `$lte` | is so in the order of values |
//! | `$in` `$nin` | is one of these, or an array that has one of these; the contrary |
//! | `$exists` | is there, or is not |
//! | `$type` | is a null, boolean, number, string, array or object |
//! | `$size` | is an array of so many elements |
//! | `$all` | is an array that has each of these; or is the one array that is named |
//! | `$elemMatch` | is an array of which an element is so |
//! | `$regex` | is a string of which a part matches (the syntax is RE2's) |
//! | `$and` `$or` `$nor` `$not` | |

use std::fmt::Display;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

use super::{
    below,
    order::{self, Type},
    path::Path,
    refuse,
};
use crate::error::Violation;

/// How deep selectors may be nested.
pub const MAX_DEPTH: usize = 20;
/// How many tests a selector may have in all.
pub const MAX_TESTS: usize = 100;
/// How many values `$in`, `$nin` and `$all` may list.
pub const MAX_LISTED: usize = 500;
/// How many bytes a selector has at most, as JSON without white space.
pub const MAX_BYTES: usize = 64 * 1_024;
/// How many regular expressions a selector may have, and how many bytes each.
const MAX_REGEXES: usize = 10;
const MAX_REGEX_LENGTH: usize = 500;
/// How many bytes a regular expression may take when it is compiled, and its cache when it runs.
const MAX_REGEX_SIZE: usize = 256 * 1_024;

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// As it was sent.
    pub value: Value,
    /// As it is compared.
    pub bytes: Vec<u8>,
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

impl Operand {
    /// A value.
    pub fn of(value: &Value) -> Self {
        Self { value: value.clone(), bytes: order::encode(value) }
    }
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

/// What a document, or an element of an array, is to be.
#[derive(Debug, Clone)]
pub enum Condition {
    /// All of these.
    And(Vec<Self>),
    /// One of these.
    Or(Vec<Self>),
    /// A value at a path.
    Test(Path, Test),
}

/// Which documents.
#[derive(Debug, Clone)]
pub struct Selector {
    pub(super) root: Condition,
}

impl Selector {
    /// Reads a selector; an empty one takes every document.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with a pointer below `at`.
    pub fn parse(selector: &Map<String, Value>, at: &str) -> Result<Self, Violation> {
        let whole = Value::Object(selector.clone());
        if whole.to_string().len() > MAX_BYTES {
            let message = format!("must have at most {MAX_BYTES} bytes");
            return Err(refuse(at, "length", message));
        }
        let mut reader = Reader { tests: 0, regexes: 0 };
        let scope = Scope { path: Path::default(), within: false, negated: false, depth: 1 };
        Ok(Self { root: reader.object(selector, &scope, at)? })
    }

    /// The selector in full: with the operators that were left out, and every negation at its test.
    pub fn to_json(&self) -> Value {
        self.root.to_json()
    }

    /// What must hold together: tests, and alternatives.
    pub fn parts(&self) -> Vec<&Condition> {
        let (mut found, mut next) = (Vec::new(), vec![&self.root]);
        while let Some(condition) = next.pop() {
            match condition {
                Condition::And(parts) => next.extend(parts.iter().rev()),
                condition => found.push(condition),
            }
        }
        found
    }

    /// The tests that must hold together.
    pub fn conjuncts(&self) -> Vec<(&Path, &Test)> {
        let tests = self.parts().into_iter().filter_map(|part| match part {
            Condition::Test(path, test) => Some((path, test)),
            _ => None,
        });
        tests.collect()
    }

    /// Whether it can hold for no document: an `$or` of nothing is among what must hold.
    pub fn is_never(&self) -> bool {
        self.parts().iter().any(|part| matches!(part, Condition::Or(parts) if parts.is_empty()))
    }
}

/// Where a part of a selector stands.
#[derive(Clone)]
struct Scope {
    /// The path that it is about.
    path: Path,
    /// Whether it is about an element of an array, so that there is a value even without names.
    within: bool,
    /// Whether its contrary is to hold.
    negated: bool,
    depth: usize,
}

impl Scope {
    fn deeper(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }

    fn joined(&self, parts: Vec<Condition>, all: bool) -> Condition {
        if all == self.negated { Condition::Or(parts) } else { Condition::And(parts) }
    }
}

struct Reader {
    tests: usize,
    regexes: usize,
}

impl Reader {
    /// An object of operators and of names, which hold together.
    fn object(
        &mut self,
        members: &Map<String, Value>,
        scope: &Scope,
        at: &str,
    ) -> Result<Condition, Violation> {
        if scope.depth > MAX_DEPTH {
            let message = format!("must be nested at most {MAX_DEPTH} levels deep");
            return Err(refuse(at, "depth", message));
        }
        let parts = members.iter().map(|(name, value)| {
            let at = below(at, name);
            if name.starts_with('$') {
                return self.operator(name, value, scope, &at);
            }
            let path = scope.path.join(&Path::parse(name, &at)?);
            self.condition(value, &Scope { path, ..scope.deeper() }, &at)
        });
        let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                Ok(scope.joined(parts, true))
            }
        }
    }

    /// What a path is to be: an object of operators or further names, or else a value that is equal.
    fn condition(
        &mut self,
        value: &Value,
        scope: &Scope,
        at: &str,
    ) -> Result<Condition, Violation> {
        let names_nothing = scope.path.is_empty() && !scope.within;
        match value {
            Value::Object(members) if !members.is_empty() || names_nothing => {
                self.object(members, scope, at)
            }
            _ => self.operator("$eq", value, scope, at),
        }
    }

    fn operator(
        &mut self,
        name: &str,
        value: &Value,
        scope: &Scope,
        at: &str,
    ) -> Result<Condition, Violation> {
        match name {
            "$and" => Ok(scope.joined(self.parts(value, &scope.deeper(), at)?, true)),
            "$or" => Ok(scope.joined(self.parts(value, &scope.deeper(), at)?, false)),
            "$nor" => {
                let contrary = Scope { negated: !scope.negated, ..scope.deeper() };
                Ok(contrary.joined(self.parts(value, &contrary, at)?, false))
            }
            "$not" => {
                let contrary = Scope { negated: !scope.negated, ..scope.deeper() };
                value.as_object().ok_or_else(|| refuse(at, "type", "must be an object"))?;
                self.condition(value, &contrary, at)
            }
            _ => {
                if scope.path.is_empty() && !scope.within {
                    let message = "must stand below the name of a member";
                    return Err(refuse(at, "operator", message));
                }
                self.tests += 1;
                if self.tests > MAX_TESTS {
                    let message = format!("must have at most {MAX_TESTS} tests in total");
                    return Err(refuse(at, "length", message));
                }
                let test = self.test(name, value, scope.depth, at)?;
                let test = if scope.negated { test.negated() } else { test };
                Ok(Condition::Test(scope.path.clone(), test))
            }
        }
    }

    fn parts(
        &mut self,
        value: &Value,
        scope: &Scope,
        at: &str,
    ) -> Result<Vec<Condition>, Violation> {
        let parts = listed(value, at)?.iter().enumerate();
        parts
            .map(|(index, part)| {
                let at = below(at, index);
                if scope.path.is_empty() && !scope.within && !part.is_object() {
                    return Err(refuse(&at, "type", "must be an object"));
                }
                self.condition(part, scope, &at)
            })
            .collect()
    }

    fn test(
        &mut self,
        name: &str,
        value: &Value,
        depth: usize,
        at: &str,
    ) -> Result<Test, Violation> {
        if let Ok(comparison) = name.parse() {
            return Ok(Test::Compare(comparison, Operand::of(value)));
        }
        match name {
            "$in" => Ok(Test::In(Listed::new(listed(value, at)?))),
            "$nin" => Ok(Test::Not(Box::new(Test::In(Listed::new(listed(value, at)?))))),
            "$all" => Ok(Test::All(listed(value, at)?.iter().map(Operand::of).collect())),
            "$exists" => {
                let there = value.as_bool();
                Ok(Test::Exists(there.ok_or_else(|| refuse(at, "type", "must be true or false"))?))
            }
            "$type" => {
                let named = value.as_str().and_then(|name| name.parse().ok());
                let message = "must be null, boolean, number, string, array or object";
                Ok(Test::Type(named.ok_or_else(|| refuse(at, "value", message))?))
            }
            "$size" => {
                let size = value.as_u64();
                let message = "must be an integer of at least 0";
                Ok(Test::Size(size.ok_or_else(|| refuse(at, "type", message))?))
            }
            "$elemMatch" => {
                value.as_object().ok_or_else(|| refuse(at, "type", "must be an object"))?;
                let depth = depth + 1;
                let scope = Scope { path: Path::default(), within: true, negated: false, depth };
                Ok(Test::ElemMatch(Box::new(self.condition(value, &scope, at)?)))
            }
            "$regex" => self.regex(value, at).map(Test::Regex),
            _ => Err(refuse(at, "operator", "is an unknown operator")),
        }
    }

    fn regex(&mut self, value: &Value, at: &str) -> Result<Regex, Violation> {
        self.regexes += 1;
        if self.regexes > MAX_REGEXES {
            let message = format!("must be one of at most {MAX_REGEXES} regular expressions");
            return Err(refuse(at, "length", message));
        }
        let pattern = value.as_str().ok_or_else(|| refuse(at, "type", "must be a string"))?;
        if pattern.len() > MAX_REGEX_LENGTH {
            let message = format!("must have a length of at most {MAX_REGEX_LENGTH} bytes");
            return Err(refuse(at, "length", message));
        }
        let mut builder = RegexBuilder::new(pattern);
        let built = builder.size_limit(MAX_REGEX_SIZE).dfa_size_limit(MAX_REGEX_SIZE).build();
        built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                refuse(at, "regex", "must not be so large when it is compiled")
            }
            _ => refuse(at, "regex", "must be a regular expression (RE2 syntax)"),
        })
    }
}

fn listed<'a>(value: &'a Value, at: &str) -> Result<&'a Vec<Value>, Violation> {
    value.as_array().filter(|items| items.len() <= MAX_LISTED).ok_or_else(|| {
        refuse(at, "type", format!("must be an array of at most {MAX_LISTED} items"))
    })
}

impl Listed {
    fn new(values: &[Value]) -> Self {
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

impl Test {
    /// The contrary, where there is a value; `$exists` has its own.
    fn negated(self) -> Self {
        match self {
            Self::Compare(comparison, operand) => Self::Compare(comparison.negated(), operand),
            Self::Exists(there) => Self::Exists(!there),
            Self::Not(test) => *test,
            test => Self::Not(Box::new(test)),
        }
    }

    /// As a selector writes it.
    pub fn to_json(&self) -> Value {
        let values =
            |operands: &[Operand]| operands.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
        match self {
            Self::Compare(comparison, operand) => member(<&str>::from(*comparison), &operand.value),
            Self::In(listed) => json!({ "$in": values(&listed.0) }),
            Self::Exists(there) => json!({ "$exists": there }),
            Self::Type(named) => json!({ "$type": <&str>::from(*named) }),
            Self::Size(size) => json!({ "$size": size }),
            Self::All(operands) => json!({ "$all": values(operands) }),
            Self::ElemMatch(condition) => json!({ "$elemMatch": condition.to_json() }),
            Self::Regex(regex) => json!({ "$regex": regex.as_str() }),
            Self::Not(test) => match &**test {
                Self::In(listed) => json!({ "$nin": values(&listed.0) }),
                test => json!({ "$not": test.to_json() }),
            },
        }
    }
}

impl Condition {
    /// As a selector writes it.
    pub fn to_json(&self) -> Value {
        let each = |parts: &[Self]| parts.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::And(parts) if parts.is_empty() => json!({}),
            Self::And(parts) => json!({ "$and": each(parts) }),
            Self::Or(parts) => json!({ "$or": each(parts) }),
            Self::Test(path, test) if path.is_empty() => test.to_json(),
            Self::Test(path, test) => member(path, &test.to_json()),
        }
    }
}

fn member(name: impl Display, value: &Value) -> Value {
    Value::Object(Map::from_iter([(name.to_string(), value.clone())]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{super::generate, *};

    fn parse(selector: Value) -> Result<Selector, Violation> {
        Selector::parse(selector.as_object().expect("an object"), "/selector")
    }

    fn refused(selector: Value) -> (String, String) {
        let refused = parse(selector).expect_err("a refusal");
        (refused.pointer, refused.code.into_owned())
    }

    #[test]
    fn what_is_left_out_is_implied() {
        for (selector, full) in [
            (json!({}), json!({})),
            (json!({ "a": 1 }), json!({ "a": { "$eq": 1 } })),
            (json!({ "a": {} }), json!({ "a": { "$eq": {} } })),
            (
                json!({ "a": 1, "b": { "$gt": 2, "$lt": 5 } }),
                json!({ "$and": [
                    { "a": { "$eq": 1 } },
                    { "$and": [{ "b": { "$gt": 2 } }, { "b": { "$lt": 5 } }] },
                ] }),
            ),
            (json!({ "a": { "b": { "$gt": 1 } } }), json!({ "a.b": { "$gt": 1 } })),
            (
                json!({ "a": { "$and": [{ "$gt": 1 }, { "$lt": 3 }] } }),
                json!({ "$and": [{ "a": { "$gt": 1 } }, { "a": { "$lt": 3 } }] }),
            ),
            (
                json!({ "a": { "$elemMatch": { "$gte": 1, "b": 2 } } }),
                json!({ "a": { "$elemMatch": { "$and": [{ "$gte": 1 }, { "b": { "$eq": 2 } }] } } }),
            ),
        ] {
            assert_eq!(parse(selector.clone()).expect("a selector").to_json(), full, "{selector}");
        }
    }

    #[test]
    fn negations_are_those_of_the_tests() {
        for (selector, full) in [
            (json!({ "$not": { "a": { "$gt": 1 } } }), json!({ "a": { "$lte": 1 } })),
            (json!({ "a": { "$not": { "$eq": 1 } } }), json!({ "a": { "$ne": 1 } })),
            (json!({ "a": { "$not": { "$exists": true } } }), json!({ "a": { "$exists": false } })),
            (
                json!({ "a": { "$not": { "$size": 1 } } }),
                json!({ "a": { "$not": { "$size": 1 } } }),
            ),
            (json!({ "a": { "$not": { "$nin": [2, 1] } } }), json!({ "a": { "$in": [1, 2] } })),
            (
                json!({ "$nor": [{ "a": 1 }, { "b": { "$lt": 2 } }] }),
                json!({ "$and": [{ "a": { "$ne": 1 } }, { "b": { "$gte": 2 } }] }),
            ),
            (
                json!({ "$not": { "$nor": [{ "a": 1 }] } }),
                json!({ "$or": [{ "a": { "$eq": 1 } }] }),
            ),
            (
                json!({ "$not": { "a": 1, "b": 2 } }),
                json!({ "$or": [{ "a": { "$ne": 1 } }, { "b": { "$ne": 2 } }] }),
            ),
        ] {
            assert_eq!(parse(selector.clone()).expect("a selector").to_json(), full, "{selector}");
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let pointed = |pointer: &str, code: &str| (format!("/selector{pointer}"), code.to_owned());
        for (selector, pointer, code) in [
            (json!({ "$gt": 2 }), "/$gt", "operator"),
            (json!({ "foo": { "$not_an_op": 2 } }), "/foo/$not_an_op", "operator"),
            (json!({ "$and": [{}, { "$noor": [] }] }), "/$and/1/$noor", "operator"),
            (json!({ "$and": 1 }), "/$and", "type"),
            (json!({ "$or": [1] }), "/$or/0", "type"),
            (json!({ "$nor": {} }), "/$nor", "type"),
            (json!({ "$not": 1 }), "/$not", "type"),
            (json!({ "a": { "$not": 1 } }), "/a/$not", "type"),
            (json!({ "a": { "$in": 1 } }), "/a/$in", "type"),
            (json!({ "a": { "$nin": false } }), "/a/$nin", "type"),
            (json!({ "a": { "$all": {} } }), "/a/$all", "type"),
            (json!({ "a": { "$in": vec![0; 501] } }), "/a/$in", "type"),
            (json!({ "a": { "$exists": 1 } }), "/a/$exists", "type"),
            (json!({ "a": { "$type": "made-up" } }), "/a/$type", "value"),
            (json!({ "a": { "$size": -1 } }), "/a/$size", "type"),
            (json!({ "a": { "$size": 1.5 } }), "/a/$size", "type"),
            (json!({ "a": { "$elemMatch": [] } }), "/a/$elemMatch", "type"),
            (json!({ "a": { "$regex": 1 } }), "/a/$regex", "type"),
            (json!({ "a": { "$regex": "(" } }), "/a/$regex", "regex"),
            (json!({ "a": { "$regex": "(?=a)" } }), "/a/$regex", "regex"),
            (json!({ "a": { "$regex": "(a{99}){99}{99}" } }), "/a/$regex", "regex"),
            (json!({ "a": { "$regex": "a".repeat(501) } }), "/a/$regex", "length"),
            (json!({ "a..b": 1 }), "/a..b", "path"),
            (json!({ "a": { "": 1 } }), "/a/", "path"),
            (json!({ "a/b": { "$x": 1 } }), "/a~1b/$x", "operator"),
            (json!({ "a": "x".repeat(MAX_BYTES) }), "", "length"),
        ] {
            assert_eq!(refused(selector.clone()), pointed(pointer, code), "{selector}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested =
            |depth| (0..depth).fold(json!({ "a": 1 }), |inner, _| json!({ "$and": [inner] }));
        assert!(parse(nested(MAX_DEPTH - 1)).is_ok());
        assert_eq!(refused(nested(MAX_DEPTH)).1, "depth");
        let elements =
            (0..MAX_DEPTH).fold(json!(1), |inner, _| json!({ "$elemMatch": { "a": inner } }));
        assert_eq!(refused(json!({ "a": elements })).1, "depth");
        let many = |count| json!({ "$or": vec![json!({ "a": 1 }); count] });
        assert!(parse(many(MAX_TESTS)).is_ok());
        assert_eq!(refused(many(MAX_TESTS + 1)).1, "length");
        let regexes = |count| json!({ "$or": vec![json!({ "a": { "$regex": "x" } }); count] });
        assert!(parse(regexes(MAX_REGEXES)).is_ok());
        assert_eq!(refused(regexes(MAX_REGEXES + 1)).1, "length");
    }

    #[test]
    fn conjuncts_are_what_must_hold() {
        let selector =
            json!({ "a": 1, "$or": [{ "b": 2 }, { "c": 3 }], "$and": [{ "d": { "$gt": 4 } }] });
        let selector = parse(selector).expect("a selector");
        let paths: Vec<_> = selector.conjuncts().iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(paths, ["a", "d"]);
        assert!(!selector.is_never());
        assert!(parse(json!({ "a": 1, "$or": [] })).expect("a selector").is_never());
    }

    proptest! {
        #[test]
        fn a_selector_in_full_is_read_as_the_same(selector in generate::selector()) {
            let read = parse(selector).expect("a selector");
            let again = parse(read.to_json()).expect("a selector");
            prop_assert_eq!(again.to_json(), read.to_json());
        }
    }
}
