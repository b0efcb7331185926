use serde_json::json;

use super::{Document, DocumentInput, DocumentReplacementInput, NewDocument, rules};
use crate::{example, input::ExactObject};

const KEY: &str = "pancakes";
const COLLECTION: &str = "recipes";

fn body() -> ExactObject {
    let body = json!({ "title": "Pancakes", "servings": 4, "flour_kg": 0.25 });
    body.as_object().cloned().unwrap_or_default().into()
}

impl DocumentInput {
    pub(super) fn example() -> Self {
        Self { id: KEY.to_owned(), collection: COLLECTION.to_owned(), body: body() }
    }
}

impl NewDocument {
    pub(super) fn example() -> Self {
        Self { id: example::some(KEY), body: body() }
    }
}

impl DocumentReplacementInput {
    pub(super) fn example() -> Self {
        Self { body: body() }
    }
}

impl Document {
    pub(in crate::document) fn example() -> Self {
        Self {
            uuid: rules::uuid(example::COLLECTION, KEY),
            collection_id: example::COLLECTION,
            id: KEY.to_owned(),
            collection: COLLECTION.to_owned(),
            version: 1,
            created_at: example::at(7),
            updated_at: example::at(7),
            body: body(),
            attachments: None,
        }
    }
}
