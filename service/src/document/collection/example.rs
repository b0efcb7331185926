use serde_json::json;

use super::{Collection, CollectionInput};
use crate::{example, input::ExactObject, role::Role};

impl CollectionInput {
    pub(super) fn example() -> Self {
        Self {
            name: "recipes".to_owned(),
            title: example::some("Recipes"),
            schema: schema(),
            indexes: vec!["/servings".to_owned()],
            read_role: Role::Viewer,
            write_role: Role::Member,
            access_version: None,
            template: None,
        }
    }
}

fn schema() -> Option<ExactObject> {
    let servings = json!({ "type": "number", "minimum": 1 });
    let schema = json!({ "type": "object", "properties": { "servings": servings } });
    schema.as_object().cloned().map(ExactObject)
}

impl Collection {
    pub(super) fn example() -> Self {
        let CollectionInput { name, title, schema, indexes, read_role, write_role, .. } =
            CollectionInput::example();
        Self {
            id: example::COLLECTION,
            version: 1,
            name,
            title,
            schema,
            indexes,
            read_role,
            write_role,
            keeps_revisions: false,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}
