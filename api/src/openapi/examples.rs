//! Examples of the schemas that have none of their own, made of those that have one: a part is shown as in the
//! whole, and a property as another schema shows one of its name.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::{
    KnownFormat, RefOr, Schema, SchemaFormat, Type,
    schema::{ArrayItems, Object},
};

use super::limits::is;

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Deeper than any schema has others in it: `rule` conditions are in themselves.
const MAX_DEPTH: usize = 8;

/// Gives each object in the document an example.
pub(super) fn complete(schemas: &mut Schemas) {
    show_parts(schemas);
    let known = Known { values: values(schemas), schemas: schemas.clone() };
    for (name, schema) in schemas {
        let RefOr::T(schema) = schema else { continue };
        let shown = known.compose(name, schema, 0);
        match schema {
            Schema::Object(object) if is(object, &Type::Object) && object.examples.is_empty() => {
                object.examples.extend(shown);
            }
            Schema::AllOf(all) if all.examples.is_empty() => all.examples.extend(shown),
            Schema::OneOf(one) if one.examples.is_empty() => one.examples.extend(shown),
            _ => {}
        }
    }
}

/// A part is shown as it stands in the example of the whole.
fn show_parts(schemas: &mut Schemas) {
    loop {
        let mut parts = BTreeMap::new();
        for schema in schemas.values() {
            let RefOr::T(Schema::Object(whole)) = schema else { continue };
            let Some(Value::Object(example)) = whole.examples.first() else { continue };
            for (name, property) in &whole.properties {
                if let (Some(value), Some(part)) = (example.get(name), part(property)) {
                    let value = value.get(0).unwrap_or(value);
                    parts.entry(part).or_insert_with(|| value.clone());
                }
            }
        }
        let mut shown = false;
        for (name, value) in parts {
            if let Some(RefOr::T(Schema::Object(object))) = schemas.get_mut(&name)
                && object.examples.is_empty()
                && value.is_object()
            {
                object.examples.push(value);
                shown = true;
            }
        }
        if !shown {
            return;
        }
    }
}

/// The name of the schema that a property, or each item of it, has.
fn part(property: &RefOr<Schema>) -> Option<String> {
    match property {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(Schema::Array(array)) => match &array.items {
            ArrayItems::RefOrSchema(items) => part(items),
            ArrayItems::False => None,
        },
        RefOr::T(Schema::OneOf(one)) => one.items.iter().find_map(part),
        _ => None,
    }
}

/// What properties are in the examples, by their names.
fn values(schemas: &Schemas) -> BTreeMap<String, Vec<Value>> {
    let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for schema in schemas.values() {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        let shown = object.examples.iter().filter_map(Value::as_object).flatten();
        for (name, value) in shown.filter(|(_, value)| !value.is_null()) {
            values.entry(name.clone()).or_default().push(value.clone());
        }
    }
    values
}

struct Known {
    values: BTreeMap<String, Vec<Value>>,
    schemas: Schemas,
}

impl Known {
    /// A value of a schema: of a property of this name, or of a schema of this name.
    fn compose(&self, name: &str, schema: &Schema, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        match schema {
            Schema::Object(object) => self.object(name, object, depth),
            Schema::Array(array) => {
                let ArrayItems::RefOrSchema(items) = &array.items else { return None };
                Some(self.resolve(name, items, depth).map_or_else(|| json!([]), |it| json!([it])))
            }
            Schema::OneOf(one) => {
                one.examples.first().cloned().or_else(|| self.first(name, &one.items, depth))
            }
            Schema::AnyOf(any) => self.first(name, &any.items, depth),
            Schema::AllOf(all) => {
                let parts = all.items.iter().filter_map(|it| self.resolve(name, it, depth));
                let parts = parts.filter_map(|part| part.as_object().cloned());
                Some(Value::Object(parts.flatten().collect()))
            }
            _ => None,
        }
    }

    fn resolve(&self, name: &str, schema: &RefOr<Schema>, depth: usize) -> Option<Value> {
        match schema {
            RefOr::T(schema) => self.compose(name, schema, depth + 1),
            RefOr::Ref(reference) => {
                let of = reference.ref_location.rsplit('/').next()?;
                match self.schemas.get(of)? {
                    RefOr::T(schema) => self.compose(of, schema, depth + 1),
                    RefOr::Ref(_) => None,
                }
            }
        }
    }

    /// The first of several that is something.
    fn first(&self, name: &str, items: &[RefOr<Schema>], depth: usize) -> Option<Value> {
        items.iter().filter_map(|it| self.resolve(name, it, depth)).find(|value| !value.is_null())
    }

    fn object(&self, name: &str, object: &Object, depth: usize) -> Option<Value> {
        let own = object.examples.first().or(object.example.as_ref()).or(object.default.as_ref());
        let first = object.enum_values.as_ref().and_then(|values| values.first());
        if let Some(value) = own.or(first) {
            return Some(value.clone());
        }
        let elsewhere = self.values.get(name).into_iter().flatten();
        if let Some(value) = elsewhere.clone().find(|value| fits(value, object)) {
            return Some(value.clone());
        }
        if !object.properties.is_empty() {
            let shown = |(name, property): (&String, &RefOr<Schema>)| {
                Some((name.clone(), self.resolve(name, property, depth)?))
            };
            return Some(Value::Object(
                object.properties.iter().filter_map(shown).collect::<Map<_, _>>(),
            ));
        }
        plain(object)
    }
}

/// Whether a value is of the type and the format of a schema.
fn fits(value: &Value, object: &Object) -> bool {
    match value {
        Value::String(text) => {
            let of_format = match &object.format {
                Some(SchemaFormat::KnownFormat(
                    KnownFormat::Uuid | KnownFormat::Date | KnownFormat::DateTime,
                )) => {
                    plain(object).as_ref().and_then(Value::as_str).map(str::len) == Some(text.len())
                }
                _ => true,
            };
            is(object, &Type::String) && of_format
        }
        Value::Number(number) if is(object, &Type::Integer) => number.is_i64(),
        Value::Number(_) => is(object, &Type::Number),
        Value::Bool(_) => is(object, &Type::Boolean),
        Value::Object(_) => is(object, &Type::Object) && object.properties.is_empty(),
        Value::Array(_) | Value::Null => false,
    }
}

/// A value of a type.
fn plain(object: &Object) -> Option<Value> {
    if is(object, &Type::String) {
        return Some(match &object.format {
            Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)) => {
                "019a8b20-4c00-7a10-8000-000000000001".into()
            }
            Some(SchemaFormat::KnownFormat(KnownFormat::Date)) => "2026-11-16".into(),
            Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)) => "2026-11-16T07:00:00Z".into(),
            _ => "text".into(),
        });
    }
    if is(object, &Type::Integer) || is(object, &Type::Number) {
        return Some(1.into());
    }
    if is(object, &Type::Boolean) {
        return Some(true.into());
    }
    if is(object, &Type::Object) {
        return Some(json!({}));
    }
    is(object, &Type::Null).then_some(Value::Null)
}
