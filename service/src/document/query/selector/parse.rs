//! Reads selectors: what is left out is filled in, and every negation ends at its test.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{
    super::{below, path::Path, refuse},
    Condition, Listed, Operand, Selector, Test,
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
pub(super) const MAX_REGEXES: usize = 10;
const MAX_REGEX_LENGTH: usize = 500;
/// How many bytes a regular expression may take when it is compiled, and its cache when it runs.
const MAX_REGEX_SIZE: usize = 256 * 1_024;

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
