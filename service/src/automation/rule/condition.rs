//! A condition on an expense, as JSON: `{"all": […]}`, `{"any": […]}`, `{"not": …}`, or a test of one
//! field, `{"field": "amount_minor", "op": "gte", "value": 1000}`. Pure.
//!
//! Texts are compared without case and without space around them. A field that has no value passes no
//! test but `ne` and `exists`.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use uuid::Uuid;

use crate::{
    error::Violation,
    money::expense::Expense,
    text::{fold, lower},
};

/// How deep conditions may be nested.
const MAX_DEPTH: usize = 5;
/// How many parts a condition may have in all.
const MAX_PARTS: usize = 50;
/// How many values `in` may list.
const MAX_LISTED: usize = 50;
/// How long a text may be that a field is compared with.
const MAX_TEXT_LENGTH: usize = 200;

/// What values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    Integer,
    Day,
    Instant,
    Text,
    /// Texts, of which one may be asked for.
    Tags,
    /// Too much for a test, but that it is there.
    Other,
}

/// The fields of an expense, as the API shows it: the properties of its schema.
static FIELDS: LazyLock<Vec<(String, Kind)>> = LazyLock::new(|| {
    let mut components = Vec::new();
    Expense::schemas(&mut components);
    let expense = as_json(&Expense::schema());
    let properties = expense["properties"].as_object().into_iter().flatten();
    properties.map(|(name, property)| (name.clone(), Kind::of(property, &components))).collect()
});

fn as_json(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

impl Kind {
    /// The kind of the values that a schema describes. A reference has that of the component.
    fn of(schema: &Value, components: &[(String, RefOr<Schema>)]) -> Self {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            let component = components.iter().find(|(known, _)| known == name);
            let kind = |(_, schema): &(_, _)| Self::of(&as_json(schema), components);
            return component.map_or(Self::Other, kind);
        }
        // A reference that may be null.
        if let Some(some) = schema["oneOf"].as_array() {
            let other = some.iter().find(|schema| schema["type"] != "null");
            return other.map_or(Self::Other, |schema| Self::of(schema, components));
        }
        let types = &schema["type"];
        let is = |name: &str| {
            types == name || types.as_array().is_some_and(|types| types.iter().any(|it| it == name))
        };
        match schema["format"].as_str() {
            Some("uuid") => Self::Id,
            Some("date") => Self::Day,
            Some("date-time") => Self::Instant,
            _ if is("integer") => Self::Integer,
            _ if is("string") => Self::Text,
            _ if is("array") && schema["items"]["type"] == "string" => Self::Tags,
            _ => Self::Other,
        }
    }
}

/// What a field is tested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
    Contains,
    In,
    Exists,
}

impl Op {
    const ALL: [(&'static str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("contains", Self::Contains),
        ("in", Self::In),
        ("exists", Self::Exists),
    ];

    fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Exists => true,
            Self::Eq | Self::Ne | Self::In => !matches!(kind, Kind::Tags | Kind::Other),
            Self::Lt | Self::Lte | Self::Gt | Self::Gte => {
                matches!(kind, Kind::Integer | Kind::Day | Kind::Instant)
            }
            Self::Contains => matches!(kind, Kind::Text | Kind::Tags),
        }
    }
}

/// A value that is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Operand {
    Id(Uuid),
    Integer(i64),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    /// Folded.
    Text(String),
}

impl Operand {
    fn read(kind: Kind, value: &Value) -> Option<Self> {
        let text = || value.as_str();
        match kind {
            Kind::Id => Some(Self::Id(Uuid::try_parse(text()?).ok()?)),
            Kind::Integer => Some(Self::Integer(value.as_i64()?)),
            Kind::Day => Some(Self::Day(text()?.parse().ok()?)),
            Kind::Instant => {
                let at = DateTime::parse_from_rfc3339(text()?).ok()?;
                Some(Self::Instant(at.to_utc()))
            }
            Kind::Text | Kind::Tags => Some(Self::Text(fold(text()?))),
            Kind::Other => None,
        }
    }
}

/// A condition that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition(Part);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Exists { field: &'static str, expected: bool },
    Test { field: &'static str, kind: Kind, op: Op, operands: Vec<Operand> },
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with a pointer from the condition.
    pub(crate) fn read(value: &Value) -> Result<Self, Violation> {
        Reader { parts: 0 }.part(value, "", 1).map(Self)
    }

    /// Whether an expense is so, as the API shows it.
    pub(crate) fn holds(&self, expense: &Value) -> bool {
        self.0.holds(expense)
    }
}

struct Reader {
    parts: usize,
}

impl Reader {
    fn part(&mut self, value: &Value, at: &str, depth: usize) -> Result<Part, Violation> {
        self.parts += 1;
        if depth > MAX_DEPTH {
            let message = format!("must be nested at most {MAX_DEPTH} levels deep");
            return Err(Violation::new(at, "depth", message));
        }
        if self.parts > MAX_PARTS {
            let message = format!("must have at most {MAX_PARTS} parts in total");
            return Err(Violation::new(at, "length", message));
        }
        let object = value.as_object();
        let object = object.ok_or_else(|| Violation::new(at, "type", "must be an object"))?;
        let mut names = object.keys();
        match (names.next().map(String::as_str), names.next()) {
            (Some("all"), None) => {
                Ok(Part::All(self.parts(&object["all"], &below(at, "all"), depth)?))
            }
            (Some("any"), None) => {
                Ok(Part::Any(self.parts(&object["any"], &below(at, "any"), depth)?))
            }
            (Some("not"), None) => {
                let part = self.part(&object["not"], &below(at, "not"), depth + 1)?;
                Ok(Part::Not(Box::new(part)))
            }
            _ => test(object, at),
        }
    }

    fn parts(&mut self, value: &Value, at: &str, depth: usize) -> Result<Vec<Part>, Violation> {
        let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(|| {
            Violation::new(at, "type", "must be a list of at least one condition")
        })?;
        let parts = items.iter().enumerate();
        parts.map(|(index, item)| self.part(item, &format!("{at}/{index}"), depth + 1)).collect()
    }
}

fn below(at: &str, name: &str) -> String {
    format!("{at}/{name}")
}

fn test(object: &Map<String, Value>, at: &str) -> Result<Part, Violation> {
    for name in ["field", "op", "value"] {
        if !object.contains_key(name) {
            return Err(Violation::new(
                at,
                "condition",
                "must consist of all, any or not, or else of field, op and value",
            ));
        }
    }
    if let Some(other) =
        object.keys().find(|name| !["field", "op", "value"].contains(&name.as_str()))
    {
        let pointer = below(at, &other.replace('~', "~0").replace('/', "~1"));
        return Err(Violation::new(pointer, "unknown_field", "is an unknown field"));
    }
    let name = object["field"].as_str();
    let known = FIELDS.iter().find(|(field, _)| name == Some(field.as_str()));
    let (field, kind) = known.ok_or_else(|| {
        Violation::new(below(at, "field"), "unknown", "must be a field of an expense")
    })?;
    let (field, kind) = (field.as_str(), *kind);
    let word = object["op"].as_str();
    let op = Op::ALL.into_iter().find(|(op, _)| word == Some(op)).map(|(_, op)| op);
    let op = op.filter(|op| op.fits(kind)).ok_or_else(|| {
        let known = Op::ALL.into_iter().filter(|(_, op)| op.fits(kind)).map(|(word, _)| word);
        let known = known.collect::<Vec<_>>().join(", ");
        Violation::new(below(at, "op"), "value", format!("must be one of {known}"))
    })?;
    let at = below(at, "value");
    let value = &object["value"];
    if op == Op::Exists {
        let expected = value.as_bool();
        let expected =
            expected.ok_or_else(|| Violation::new(at, "type", "must be true or false"))?;
        return Ok(Part::Exists { field, expected });
    }
    Ok(Part::Test { field, kind, op, operands: operands(kind, op, value, &at)? })
}

fn operands(kind: Kind, op: Op, value: &Value, at: &str) -> Result<Vec<Operand>, Violation> {
    match (op, value.as_array()) {
        (Op::In, Some(items)) if (1..=MAX_LISTED).contains(&items.len()) => items
            .iter()
            .enumerate()
            .map(|(index, item)| operand(kind, item, &format!("{at}/{index}")))
            .collect(),
        (Op::In, _) => {
            let message = format!("must be a list of 1 to {MAX_LISTED} values");
            Err(Violation::new(at, "type", message))
        }
        _ => Ok(vec![operand(kind, value, at)?]),
    }
}

fn operand(kind: Kind, value: &Value, at: &str) -> Result<Operand, Violation> {
    if value.as_str().is_some_and(|text| text.chars().count() > MAX_TEXT_LENGTH) {
        let message = format!("must have a length of at most {MAX_TEXT_LENGTH}");
        return Err(Violation::new(at, "length", message));
    }
    let must = match kind {
        Kind::Id => "a UUID",
        Kind::Integer => "an integer",
        Kind::Day => "a date such as 2026-11-21",
        Kind::Instant => "a time such as 2026-11-21T08:00:00Z",
        Kind::Text | Kind::Tags | Kind::Other => "a string",
    };
    Operand::read(kind, value).ok_or_else(|| Violation::new(at, "type", format!("must be {must}")))
}

impl Part {
    fn holds(&self, expense: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(expense)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(expense)),
            Self::Not(part) => !part.holds(expense),
            Self::Exists { field, expected } => {
                let none = match expense.get(field) {
                    None | Some(Value::Null) => true,
                    Some(Value::Array(items)) => items.is_empty(),
                    Some(_) => false,
                };
                none != *expected
            }
            Self::Test { field, kind, op, operands } => {
                let value = expense.get(field).unwrap_or(&Value::Null);
                passes(*kind, *op, value, operands)
            }
        }
    }
}

fn passes(kind: Kind, op: Op, value: &Value, operands: &[Operand]) -> bool {
    if kind == Kind::Tags {
        let tags = value.as_array().into_iter().flatten();
        let mut tags = tags.filter_map(|tag| Operand::read(kind, tag));
        return tags.any(|tag| operands.contains(&tag));
    }
    let (Some(value), Some(first)) = (Operand::read(kind, value), operands.first()) else {
        return op == Op::Ne;
    };
    match op {
        Op::Eq | Op::In => operands.contains(&value),
        Op::Ne => value != *first,
        Op::Lt => value < *first,
        Op::Lte => value <= *first,
        Op::Gt => value > *first,
        Op::Gte => value >= *first,
        Op::Contains => match (&value, first) {
            (Operand::Text(text), Operand::Text(part)) => lower(text).contains(&lower(part)),
            _ => false,
        },
        Op::Exists => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn expense() -> Value {
        json!({
            "id": "0199aaaa-0000-7000-8000-00000000000a", "version": 3, "kind": "purchase",
            "status": "draft", "category_id": null, "spent_on": "2026-11-02",
            "amount_minor": 1250, "currency": "EUR", "merchant": " Café Ärger", "tags": ["Trip"],
            "items": [], "details": { "a": 1 }, "created_at": "2026-11-02T08:00:00Z",
        })
    }

    fn holds(condition: Value) -> bool {
        Condition::read(&condition).expect("a condition").holds(&expense())
    }

    fn field(field: &str, op: &str, value: Value) -> Value {
        json!({ "field": field, "op": op, "value": value })
    }

    #[test]
    fn a_field_has_the_kind_of_its_schema() {
        for (name, expected) in [
            ("id", Kind::Id),
            ("created_by_member_id", Kind::Id),
            ("payout_saga_id", Kind::Id),
            ("amount_minor", Kind::Integer),
            ("spent_on", Kind::Day),
            ("created_at", Kind::Instant),
            ("submitted_at", Kind::Instant),
            ("currency", Kind::Text),
            ("payout_error", Kind::Text),
            ("status", Kind::Text),
            ("tags", Kind::Tags),
            ("items", Kind::Other),
            ("details", Kind::Other),
        ] {
            let field = FIELDS.iter().find(|(field, _)| field == name);
            assert_eq!(field.map(|(_, kind)| *kind), Some(expected), "{name}");
        }
        let mut components = Vec::new();
        Expense::schemas(&mut components);
        let status = json!({ "$ref": "#/components/schemas/ExpenseStatus" });
        let perhaps = json!({ "oneOf": [{ "type": "null" }, status] });
        assert_eq!(Kind::of(&perhaps, &components), Kind::Text);
    }

    #[test]
    fn tests_compare_as_people_do() {
        for (name, op, value) in [
            ("merchant", "eq", json!("CAFÉ ÄRGER ")),
            ("merchant", "contains", json!("café")),
            ("merchant", "in", json!(["x", "café ärger"])),
            ("tags", "contains", json!("TRIP")),
            ("amount_minor", "gte", json!(1250)),
            ("amount_minor", "lt", json!(1251)),
            ("spent_on", "gt", json!("2026-11-01")),
            ("created_at", "eq", json!("2026-11-02T09:00:00+01:00")),
            ("id", "eq", json!("0199AAAA-0000-7000-8000-00000000000A")),
            ("category_id", "exists", json!(false)),
            ("category_id", "ne", json!("0199aaaa-0000-7000-8000-00000000000a")),
            ("items", "exists", json!(false)),
            ("details", "exists", json!(true)),
            ("note", "exists", json!(false)),
        ] {
            let test = field(name, op, value);
            assert!(holds(test.clone()), "{test}");
            assert!(!holds(json!({ "not": test })), "{test}");
        }
        for (name, op, value) in [
            ("note", "eq", json!("")),
            ("note", "contains", json!("")),
            ("tags", "contains", json!("tri")),
            ("amount_minor", "gt", json!(1250)),
        ] {
            assert!(!holds(field(name, op, value)), "{name} {op}");
        }
        let (yes, no) = (field("version", "eq", json!(3)), field("version", "eq", json!(4)));
        assert!(holds(json!({ "any": [no, yes] })) && !holds(json!({ "all": [no, yes] })));
        assert!(holds(json!({ "all": [yes, { "not": no }] })));
    }

    #[test]
    fn what_is_no_condition_is_refused_where_it_is_wrong() {
        let deep = (0..5).fold(field("id", "exists", json!(true)), |it, _| json!({ "not": it }));
        let large: Vec<_> = (0..50).map(|n| field("version", "eq", json!(n))).collect();
        for (condition, at, code) in [
            (json!([]), "", "type"),
            (json!({}), "", "condition"),
            (json!({ "all": [], "any": [] }), "", "condition"),
            (json!({ "all": [] }), "/all", "type"),
            (json!({ "all": [field("nonsense", "eq", json!(1))] }), "/all/0/field", "unknown"),
            (json!({ "not": field("tags", "eq", json!("x")) }), "/not/op", "value"),
            (field("merchant", "lt", json!("x")), "/op", "value"),
            (field("amount_minor", "eq", json!(1.5)), "/value", "type"),
            (field("amount_minor", "eq", json!("1")), "/value", "type"),
            (field("member_id", "in", json!([])), "/value", "type"),
            (field("member_id", "in", json!(["x"])), "/value/0", "type"),
            (field("note", "exists", json!(1)), "/value", "type"),
            (field("note", "eq", json!("x".repeat(201))), "/value", "length"),
            (
                json!({ "field": "note", "op": "eq", "value": "x", "a/b": 1 }),
                "/a~1b",
                "unknown_field",
            ),
            (deep, "/not/not/not/not/not", "depth"),
            (json!({ "any": large }), "/any/49", "length"),
        ] {
            let found = Condition::read(&condition).expect_err("no condition");
            assert_eq!((&*found.pointer, &*found.code), (at, code), "{condition}");
        }
    }

    proptest! {
        /// De Morgan: what is read means what it says.
        #[test]
        fn not_all_is_any_not(values in prop::collection::vec(0..6_i64, 1..5)) {
            let tests: Vec<_> =
                values.iter().map(|value| field("version", "gte", json!(value))).collect();
            let negated: Vec<_> = tests.iter().map(|test| json!({ "not": test })).collect();
            prop_assert_eq!(
                holds(json!({ "not": { "all": tests } })),
                holds(json!({ "any": negated }))
            );
        }
    }
}
