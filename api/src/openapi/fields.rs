//! The parameter `fields` of what answers with resources, and the properties that it can name.

use std::collections::BTreeSet;

use service::catalogue;
use utoipa::openapi::{
    Components, ObjectBuilder, OpenApi, Ref, RefOr, Required, Schema, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
};

use super::headers::body_of;
use crate::extract::MAX_FIELDS_LENGTH;

const FIELDS: &str = "\
Properties of the resource to return, separated by commas, such as `status,note`. `id` and `version` \
are always returned. Defaults to all. At most 2000 characters.";

/// Declares the parameter where an operation answers with a resource or with a page of them.
pub(super) fn declare(operation: &mut Operation) {
    if !answers_with_resources(operation) {
        return;
    }
    let names = ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX_FIELDS_LENGTH));
    let fields = ParameterBuilder::new()
        .name("fields")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(FIELDS))
        .schema(Some(names));
    operation.parameters.get_or_insert_default().push(fields.build().into());
}

fn answers_with_resources(operation: &Operation) -> bool {
    body_of(operation, "200").is_some_and(|it| it.ends_with("Page") || catalogue::is_versioned(it))
}

/// The properties that the parameter of an operation can name. None if it has no such parameter.
pub(crate) fn properties(document: &OpenApi, operation: &Operation) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (Some(components), true) = (&document.components, answers_with_resources(operation)) else {
        return names;
    };
    let body = body_of(operation, "200").unwrap_or_default();
    // A page is called after its items.
    let resource = body.strip_suffix("Page").unwrap_or(body);
    collect(components, &Ref::from_schema_name(resource).into(), &mut names);
    names
}

fn collect(components: &Components, schema: &RefOr<Schema>, names: &mut BTreeSet<String>) {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            let schema = components.schemas.get(name);
            schema.into_iter().for_each(|schema| collect(components, schema, names));
        }
        RefOr::T(Schema::Object(object)) => names.extend(object.properties.keys().cloned()),
        RefOr::T(Schema::AllOf(all)) => {
            all.items.iter().for_each(|schema| collect(components, schema, names));
        }
        RefOr::T(Schema::OneOf(one)) => {
            one.items.iter().for_each(|schema| collect(components, schema, names));
        }
        RefOr::T(_) => {}
    }
}
