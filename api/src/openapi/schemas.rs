//! What utoipa leaves to be done about schemas.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use serde_json::Value;
use service::catalogue::RESOURCES;
use utoipa::openapi::{
    Ref, RefOr, Schema, Type,
    schema::{AnyOfBuilder, Discriminator, Object, ObjectBuilder, OneOf, OneOfBuilder, RefBuilder},
};

use super::limits;

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// The schema of whatever resource there is.
const ANY_RESOURCE: &str = "AnyResource";
/// The properties that show one, by their schemas.
const SHOWING_ONE: &[(&str, &str)] = &[
    ("Problem", "current"),
    ("ResourceChange", "data"),
    ("SyncOutcome", "current"),
    ("SyncOutcome", "data"),
];

/// Completes the schemas that utoipa has made.
pub(super) fn complete(schemas: &mut Schemas) {
    schemas.values_mut().for_each(describe_optional);
    schemas.insert(ANY_RESOURCE.to_owned(), any_resource());
    for (name, property) in SHOWING_ONE {
        if let Some(RefOr::T(schema)) = schemas.get_mut(*name) {
            show_resource(schema, property);
        }
    }
    distribute(schemas);
    for schema in schemas.values_mut() {
        limits::bound("", schema);
    }
    limits::inherit(schemas);
}

/// `anyOf`, since what fits the schema of one may fit that of another.
fn any_resource() -> RefOr<Schema> {
    let resources: BTreeSet<_> = RESOURCES.iter().map(|it| (it.schema)()).collect();
    let any =
        AnyOfBuilder::new().description(Some("A resource of any type, as reading it returns it."));
    resources.into_iter().fold(any, |any, name| any.item(Ref::from_schema_name(name))).into()
}

/// Says of a property that it shows a resource.
fn show_resource(schema: &mut Schema, name: &str) {
    match schema {
        Schema::Object(object) => {
            if let Some(property) = object.properties.get_mut(name) {
                *property = resource_property(property);
            }
        }
        Schema::OneOf(one) => {
            for item in &mut one.items {
                if let RefOr::T(item) = item {
                    show_resource(item, name);
                }
            }
        }
        _ => {}
    }
}

fn resource_property(of: &RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(object)) = of else { return of.clone() };
    let description = object.description.clone();
    if limits::is(object, &Type::Null) {
        let null = ObjectBuilder::new().schema_type(Type::Null);
        let any = Ref::from_schema_name(ANY_RESOURCE);
        return OneOfBuilder::new().description(description).item(null).item(any).into();
    }
    RefBuilder::new().ref_location_from_schema_name(ANY_RESOURCE).description(description).into()
}

/// Makes one of several forms of an object that is one of several forms and more: few generators of SDKs take an
/// `allOf` that has a `oneOf` in it. Each form is a schema, which is told by the value of one property.
fn distribute(schemas: &mut Schemas) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    let mut distributed = BTreeSet::new();
    for name in names {
        let Some(RefOr::T(Schema::AllOf(all))) = schemas.get(&name) else { continue };
        let found = all.items.iter().find_map(|item| Some((item, forms(item, schemas)?)));
        let Some((union, (of, forms))) = found else { continue };
        let rest: Vec<_> = all.items.iter().filter(|item| *item != union).cloned().collect();
        let one = OneOfBuilder::new().description(all.description.clone());
        let mut mapping = BTreeMap::new();
        let mut property_name = String::new();
        let mut made = Vec::new();
        for form in &forms.items {
            let Some((tag, value)) = tag(form) else { continue };
            let form_name = format!("{name}{}", pascal(&value));
            mapping.insert(value, format!("#/components/schemas/{form_name}"));
            property_name = tag;
            made.push((form_name, with(form, &rest)));
        }
        let references = made.iter().map(|(name, _)| Ref::from_schema_name(name));
        let mut discriminator = Discriminator::new(property_name);
        discriminator.mapping = mapping;
        let one = references.fold(one, OneOfBuilder::item).discriminator(Some(discriminator));
        schemas.insert(name, one.into());
        schemas.extend(made);
        distributed.insert(of);
    }
    schemas.retain(|name, _| !distributed.contains(name));
}

/// The union that a part of an `allOf` refers to, and its name.
fn forms(item: &RefOr<Schema>, schemas: &Schemas) -> Option<(String, OneOf)> {
    let RefOr::Ref(reference) = item else { return None };
    let name = reference.ref_location.rsplit('/').next()?;
    match schemas.get(name) {
        Some(RefOr::T(Schema::OneOf(one))) => Some((name.to_owned(), one.clone())),
        _ => None,
    }
}

/// The property that tells a form, and its one value.
fn tag(form: &RefOr<Schema>) -> Option<(String, String)> {
    match form {
        RefOr::T(Schema::Object(object)) => {
            object.properties.iter().find_map(|(name, property)| {
                let RefOr::T(Schema::Object(property)) = property else { return None };
                match property.enum_values.as_deref() {
                    Some([Value::String(value)]) => Some((name.clone(), value.clone())),
                    _ => None,
                }
            })
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter().find_map(tag),
        _ => None,
    }
}

/// A form with what all forms have.
fn with(form: &RefOr<Schema>, rest: &[RefOr<Schema>]) -> RefOr<Schema> {
    let mut form = form.clone();
    match &mut form {
        RefOr::T(Schema::Object(object)) => rest.iter().for_each(|it| merge(object, it)),
        RefOr::T(Schema::AllOf(all)) => all.items.extend(rest.iter().cloned()),
        _ => {}
    }
    form
}

fn merge(object: &mut Object, rest: &RefOr<Schema>) {
    if let RefOr::T(Schema::Object(rest)) = rest {
        object.properties.extend(rest.properties.clone());
        object.required.extend(rest.required.iter().cloned());
    }
}

fn pascal(word: &str) -> String {
    word.split('_').map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Gives each optional property its description: utoipa writes it to the reference within the `oneOf`,
/// where no generator of an SDK looks for it.
fn describe_optional(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for property in object.properties.values_mut() {
                if let RefOr::T(Schema::OneOf(optional)) = property {
                    take_description(optional);
                }
            }
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(describe_optional),
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(describe_optional),
        _ => {}
    }
}

fn take_description(optional: &mut OneOf) {
    for item in &mut optional.items {
        if let RefOr::Ref(reference) = item
            && !reference.description.is_empty()
        {
            optional.description = Some(mem::take(&mut reference.description));
        }
    }
}
