//! The OpenAPI schemas of inputs, made of the schema of what a client may write.

use std::borrow::Cow;

use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat,
        Type,
        schema::{RefBuilder, SchemaType},
    },
};

use super::{Change, Create, TransitionBody};

/// The name of what `ExpenseInput` is the input of.
fn stem<T: ToSchema>() -> String {
    let name = T::name();
    name.strip_suffix("Input").unwrap_or(&name).to_owned()
}

/// The schema of an input. Its example leaves out what is null.
fn properties<T: PartialSchema>() -> Object {
    let RefOr::T(Schema::Object(mut object)) = T::schema() else {
        return ObjectBuilder::new().build();
    };
    for fields in object.examples.iter_mut().filter_map(Value::as_object_mut) {
        fields.retain(|_, value| !value.is_null());
    }
    object
}

/// The schema with the version on which a request is based.
fn with_version(mut object: Object) -> Object {
    object.properties.insert("version".into(), integer(VERSION));
    for fields in object.examples.iter_mut().filter_map(Value::as_object_mut) {
        fields.insert("version".into(), 2.into());
    }
    object
}

fn integer(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .description(Some(description))
        .into()
}

/// The schema of 1 to 500 new resources, for batches.
pub fn batch_schema<T: ToSchema>() -> Array {
    ArrayBuilder::new()
        .items(Ref::from_schema_name(Create::<T>::name()))
        .description(Some("Resources to create, 1 to 500."))
        .min_items(Some(1))
        .max_items(Some(500))
        .build()
}

/// The schema of a merge patch within another body.
pub fn patch_schema<T: ToSchema>() -> Ref {
    RefBuilder::new()
        .ref_location_from_schema_name(Change::<T>::name())
        .description(Some("Changes as a JSON Merge Patch (RFC 7396), without `version`."))
        .build()
}

impl<T: ToSchema> PartialSchema for Create<T> {
    fn schema() -> RefOr<Schema> {
        let mut object = properties::<T>();
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .description(Some(
                "Unique identifier (UUID) of the new resource. Set by the server if it is omitted.",
            ));
        object.properties.insert("id".into(), id.into());
        object.into()
    }
}

impl<T: ToSchema> ToSchema for Create<T> {
    fn name() -> Cow<'static, str> {
        format!("New{}", stem::<T>()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

const PATCH: &str = "\
Changes as a JSON Merge Patch (RFC 7396): omitted properties stay as they are, null clears a property.";
const VERSION: &str =
    "Version of the resource on which the request is based. Required unless `If-Match` is sent.";

impl<T: ToSchema> PartialSchema for Change<T> {
    fn schema() -> RefOr<Schema> {
        let mut object = properties::<T>();
        object.required.clear();
        object.description = Some(PATCH.into());
        with_version(object).into()
    }
}

impl<T: ToSchema> ToSchema for Change<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Update", stem::<T>()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for TransitionBody<T> {
    fn schema() -> RefOr<Schema> {
        let mut object = properties::<T>();
        object.schema_type = SchemaType::Type(Type::Object);
        with_version(object).into()
    }
}

impl<T: ToSchema> ToSchema for TransitionBody<T> {
    fn name() -> Cow<'static, str> {
        stem::<T>().into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
