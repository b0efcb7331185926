//! What is told of a schema that is none, and of a body that does not fit: without a value of the body.

use jsonschema::{
    ErrorIterator, ReferencingError, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use crate::{
    error::{Violation, Violations},
    input::escape,
};

/// What is wrong with a schema, with a pointer into it.
pub(super) fn of_schema(schema: &Value, error: &ValidationError<'_>) -> Violations {
    if let Kind::Referencing(referencing) = error.kind() {
        return vec![unresolved(schema, referencing)];
    }
    // The schema of JSON Schema is checked first: what compiling refuses after that are patterns.
    if let Kind::Format { .. } = error.kind() {
        let pointer = match error.instance_path().as_str() {
            "" => error.schema_path().as_str(),
            pointer => pointer,
        };
        let message =
            "must be a regular expression of bounded size, without look-around and back-references";
        return vec![Violation::new(pointer, "pattern", message)];
    }
    let mut found = Vec::new();
    tell(error, &mut found);
    found
}

/// A `$ref` that leads nowhere. The error does not say where it is, but what it looked for.
fn unresolved(schema: &Value, error: &ReferencingError) -> Violation {
    let target = match error {
        ReferencingError::Unretrievable { uri, .. } => uri,
        ReferencingError::PointerToNowhere { pointer }
        | ReferencingError::InvalidPercentEncoding { pointer, .. }
        | ReferencingError::InvalidArrayIndex { pointer, .. } => pointer,
        ReferencingError::NoSuchAnchor { anchor } | ReferencingError::InvalidAnchor { anchor } => {
            anchor
        }
        _ => "",
    };
    let message = "must lead to a part of the schema: nothing is fetched";
    let pointer = reference_to(schema, target, String::new());
    Violation::new(pointer.unwrap_or_default(), "$ref", message)
}

/// The pointer to the first reference that can have led to a target.
fn reference_to(schema: &Value, target: &str, at: String) -> Option<String> {
    match schema {
        Value::Object(members) => {
            let leads = |text: &str| {
                let text = text.split('#').find(|part| !part.is_empty()).unwrap_or(text);
                target.ends_with(text) || text.ends_with(target)
            };
            let reference = ["$ref", "$dynamicRef"]
                .into_iter()
                .find(|name| members.get(*name).and_then(Value::as_str).is_some_and(leads));
            match reference {
                Some(name) => Some(format!("{at}/{name}")),
                None => members.iter().find_map(|(name, inner)| {
                    reference_to(inner, target, format!("{at}/{}", escape(name)))
                }),
            }
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, inner)| reference_to(inner, target, format!("{at}/{index}"))),
        _ => None,
    }
}

/// What is wrong with a body, with pointers into it.
pub(super) fn of_body(errors: ErrorIterator<'_>, limit: usize) -> Violations {
    let mut found = Vec::new();
    for error in errors {
        tell(&error, &mut found);
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    found
}

/// What is told of a body that takes too long to say more of.
pub(super) fn unspecified() -> Violations {
    vec![Violation::new("", "schema", "does not fit the schema, in more ways than can be told")]
}

fn tell(error: &ValidationError<'_>, found: &mut Violations) {
    let (at, kind) = (error.instance_path().as_str(), error.kind());
    let keyword = || match kind {
        // Of an object that has no `properties` beside it, the library names no member.
        Kind::FalseSchema if error.schema_path().as_str().ends_with("/additionalProperties") => {
            "additionalProperties".to_owned()
        }
        Kind::FalseSchema => "false".to_owned(),
        kind => kind.keyword().to_owned(),
    };
    match kind {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            found.push(Violation::new(format!("{at}/{}", escape(name)), keyword(), "is required"));
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            found.extend(unexpected.iter().map(|name| {
                Violation::new(format!("{at}/{}", escape(name)), keyword(), "is not allowed")
            }));
        }
        kind => found.push(Violation::new(at, keyword(), message(kind))),
    }
}

fn message(kind: &Kind) -> String {
    match kind {
        Kind::AdditionalItems { limit } => format!("must have at most {limit} items"),
        Kind::AnyOf { .. } => "must fit at least one schema of anyOf".to_owned(),
        Kind::OneOfNotValid { .. } => {
            "must fit exactly one schema of oneOf, and fits none".to_owned()
        }
        Kind::OneOfMultipleValid { .. } => {
            "must fit exactly one schema of oneOf, and fits more".to_owned()
        }
        Kind::Not { .. } => "must not fit the schema of not".to_owned(),
        Kind::Constant { .. } => "must be the value of const".to_owned(),
        Kind::Enum { .. } => "must be one of the values of enum".to_owned(),
        Kind::Contains => "must have items that fit the schema of contains".to_owned(),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be greater than {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
        Kind::MinProperties { limit } => format!("must have at least {limit} members"),
        Kind::Pattern { pattern } => format!("must match {pattern}"),
        Kind::PropertyNames { .. } => "has a name that is not allowed".to_owned(),
        Kind::Type { kind: TypeKind::Single(one) } => format!("must be of the type {one}"),
        Kind::Type { kind: TypeKind::Multiple(types) } => {
            let types: Vec<_> = types.iter().map(|one| one.as_str()).collect();
            format!("must be of one of the types {}", types.join(", "))
        }
        Kind::UniqueItems => "must have no item twice".to_owned(),
        Kind::UnevaluatedItems { .. } => "has items that are not allowed".to_owned(),
        Kind::FalseSchema => "is not allowed".to_owned(),
        _ => "does not fit the schema".to_owned(),
    }
}
