//! Which documents of a collection would not fit another schema.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::{readable, rules};
use crate::{
    actor::Actor,
    document::schema::{InvalidDocument, Schema, look},
    error::Result,
    idempotency::WriteOnce,
    input::{Deferred, ExactObject},
    seal::Keyring,
    store::Tx,
};

/// How many documents are checked at once.
pub(super) const MAX_CHECKED: u64 = 1_000;

/// Schema to check the documents of a collection against.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "schema": { "required": ["servings"] } })))]
pub struct SchemaCheckInput {
    /// JSON Schema (2020-12), at most 256 KiB of JSON.
    #[validate(custom(function = rules::schema))]
    #[schema(value_type = Object)]
    pub schema: ExactObject,
    /// Check documents whose `id` comes after this one: `next_after` of the previous response. Omit it to start with
    /// the first document. At most 512 characters.
    #[validate(length(max = 512))]
    pub after: Option<String>,
    /// Maximum number of documents to check, 1 to 1000. Defaults to 1000.
    #[validate(range(min = 1, max = 1000))]
    pub limit: Option<u64>,
}

/// Documents of a collection that do not fit a schema.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "checked": 12,
    "invalid": [{
        "id": "pancakes",
        "violations": [{ "pointer": "/body/servings", "code": "required", "message": "is required" }],
    }],
    "next_after": null,
})))]
pub struct SchemaCheck {
    /// Number of documents that were checked: fewer than asked where they are large, or many do not fit.
    pub checked: u64,
    /// Documents that do not fit the schema, at most 20, in the order of their `id`.
    pub invalid: Vec<InvalidDocument>,
    /// Value to pass as `after` to check the next documents; null after the last one.
    pub next_after: Option<String>,
}

/// Reads a schema of a collection.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) with pointers below `/schema`; where it has secrets, and there is no key.
pub(super) fn compile(keyring: &Keyring, schema: &ExactObject) -> Result<Schema> {
    let compiled = Schema::compile(&Value::Object(schema.0.clone()));
    let compiled = compiled.map_err(|error| error.prefix_pointer("/schema"))?;
    if compiled.has_secrets() {
        keyring.require()?;
    }
    Ok(compiled)
}

/// Checks documents of a collection against a schema, and changes nothing.
pub async fn check_schema(
    store: WriteOnce<'_, SchemaCheck>,
    actor: &Actor,
    collection: &str,
    body: Deferred<SchemaCheckInput>,
) -> Result<SchemaCheck> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let checked = store.snapshot_with_parts(async move |tx: &Tx| {
        let collection = readable(tx, &actor, &collection).await?;
        let SchemaCheckInput { schema, after, limit } = body.read()?;
        let schema = compile(tx.keyring(), &schema)?;
        let place = (actor.organization_id, collection.id);
        let limit = limit.unwrap_or(MAX_CHECKED);
        let found = look(tx, &schema, place, after, limit).await?;
        Ok(SchemaCheck { checked: found.checked, invalid: found.invalid, next_after: found.last })
    });
    store.record(checked.await?).await
}
