//! What utoipa leaves to be done about schemas.

use std::mem;

use utoipa::openapi::{RefOr, Schema, schema::OneOf};

/// Gives each optional property its description: utoipa writes it to the reference within the `oneOf`,
/// where no generator of an SDK looks for it.
pub(super) fn describe_optional(schema: &mut RefOr<Schema>) {
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
