//! The limits of what has no `#[validate(…)]` of its own: they follow from the name of a property or of a
//! parameter. All other limits are those of the validation, which `service::input::bounded` tells.

use std::collections::BTreeMap;

use service::{
    details, document::query::path, geo::MAX_NEAR_LENGTH, store::page::MAX_CURSOR_LENGTH,
};
use utoipa::openapi::{
    RefOr, Schema, Type,
    schema::{ArrayItems, Object, SchemaType},
};

/// What a text of this name is: at least and at most so many characters, of this pattern.
struct Text {
    name: &'static str,
    lengths: [usize; 2],
    pattern: Option<&'static str>,
}

const CURSOR: Option<&str> = Some("^[A-Za-z0-9_-]+$");

const TEXTS: &[Text] = &[
    Text { name: "cursor", lengths: [1, MAX_CURSOR_LENGTH], pattern: CURSOR },
    Text { name: "next_cursor", lengths: [1, MAX_CURSOR_LENGTH], pattern: CURSOR },
    Text { name: "since", lengths: [1, MAX_CURSOR_LENGTH], pattern: CURSOR },
    Text { name: "currency", lengths: [3, 3], pattern: Some("^[A-Z]{3}$") },
    Text { name: "add_tag", lengths: [1, 50], pattern: Some(r"\S") },
    Text { name: "decimal_separator", lengths: [1, 1], pattern: None },
    Text { name: "delimiter", lengths: [1, 1], pattern: None },
    Text { name: "kind", lengths: [1, 100], pattern: None },
    Text { name: "near", lengths: [3, MAX_NEAR_LENGTH], pattern: None },
    Text { name: "set_note", lengths: [0, 2000], pattern: None },
    Text { name: "token", lengths: [1, 200], pattern: None },
    // The items of a list.
    Text { name: "fields", lengths: [1, path::MAX_LENGTH], pattern: None },
    Text { name: "kinds", lengths: [1, 100], pattern: Some(r"^(\*|[a-z_]+\.(\*|[a-z_]+))$") },
    Text { name: "indexes", lengths: [1, 512], pattern: Some("^(/([^~/]|~[01])*)+$") },
    Text { name: "witnesses", lengths: [1, 200], pattern: Some(r"\S") },
    Text { name: "tag", lengths: [1, 50], pattern: Some(r"\S") },
    Text { name: "tags", lengths: [1, 50], pattern: Some(r"\S") },
];

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Gives a parameter or a property of this name the limits that follow from it.
pub(super) fn bound(name: &str, schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => bound_object(name, object),
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                bound(name, items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|it| bound(name, it)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|it| bound(name, it)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|it| bound(name, it)),
        _ => {}
    }
}

fn bound_object(name: &str, object: &mut Object) {
    let text = TEXTS.iter().find(|text| text.name == name);
    let is_open =
        is(object, &Type::String) && object.format.is_none() && object.enum_values.is_none();
    if let Some(text) = text.filter(|_| is_open && object.max_length.is_none()) {
        let [least, most] = text.lengths;
        (object.min_length, object.max_length) = (Some(least), Some(most));
        object.pattern = text.pattern.map(str::to_owned);
    }
    // A version, or another number of what is counted: 64 bits are what is read.
    if is(object, &Type::Integer) && object.minimum.is_some() && object.maximum.is_none() {
        object.maximum = Some(i64::MAX.into());
    }
    // The names in an object that clients keep with a row.
    if let Some(Schema::Object(names)) = object.property_names.as_deref_mut() {
        names.max_length.get_or_insert(details::MAX_SIZE);
    }
    for (name, property) in &mut object.properties {
        bound(name, property);
    }
}

/// Gives a parameter its limits: an integer that has none is one of 64 bits.
pub(super) fn bound_parameter(name: &str, schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema
        && is(object, &Type::Integer)
        && object.maximum.is_none()
    {
        object.minimum.get_or_insert(i64::MIN.into());
        object.maximum = Some(i64::MAX.into());
    }
    bound(name, schema);
}

pub(super) fn is(object: &Object, wanted: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(one) => one == wanted,
        SchemaType::Array(several) => several.contains(wanted),
        SchemaType::AnyValue => false,
    }
}

/// Gives the properties of resources the limits that they have where clients write them: `Expense` those of
/// `NewExpense` and `ExpenseUpdate`.
pub(super) fn inherit(schemas: &mut Schemas) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in names {
        for input in [format!("New{name}"), format!("{name}Update"), format!("{name}Input")] {
            let Some(RefOr::T(Schema::Object(input))) = schemas.get(&input).cloned() else {
                continue;
            };
            if let Some(RefOr::T(Schema::Object(resource))) = schemas.get_mut(&name) {
                inherit_properties(resource, &input);
            }
        }
    }
}

fn inherit_properties(resource: &mut Object, input: &Object) {
    for (name, property) in &mut resource.properties {
        if let (RefOr::T(shown), Some(RefOr::T(written))) = (property, input.properties.get(name)) {
            inherit_limits(shown, written);
        }
    }
}

fn inherit_limits(shown: &mut Schema, written: &Schema) {
    match (shown, written) {
        (Schema::Object(shown), Schema::Object(written)) => {
            let limits = (written.min_length, written.max_length);
            if shown.max_length.is_none() && shown.enum_values.is_none() {
                (shown.min_length, shown.max_length) = limits;
                shown.pattern.clone_from(&written.pattern);
            }
            if shown.minimum.is_none() && shown.maximum.is_none() {
                shown.minimum.clone_from(&written.minimum);
                shown.maximum.clone_from(&written.maximum);
            }
        }
        (Schema::Array(shown), Schema::Array(written)) => {
            shown.max_items = shown.max_items.or(written.max_items);
            if let (ArrayItems::RefOrSchema(shown), ArrayItems::RefOrSchema(written)) =
                (&mut shown.items, &written.items)
                && let (RefOr::T(shown), RefOr::T(written)) = (&mut **shown, &**written)
            {
                inherit_limits(shown, written);
            }
        }
        _ => {}
    }
}
