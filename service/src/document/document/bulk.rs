//! Many writes of a collection at once: each by itself, or all or none.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    Document, DocumentInput, repository, rules,
    write::{insert, remove, update},
};
use crate::{
    actor::Actor,
    document::collection::{self, Collection},
    error::{Error, Result, Violation},
    event::Verb,
    idempotency::WriteOnce,
    input::{self, Change, DeferredExact, ExactMembers, ExactObject, FromBody},
    outcome::Outcome,
    resource::{Changeable, Resource},
    store::{Tx, versioned::Expected},
};

/// What a write does to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentWriteOperation {
    /// Create the document. Takes a `body`, and an `id` if the client chooses it.
    Create,
    /// Write another body in the place of the document's. Takes an `id`, a `version` and a `body`.
    Replace,
    /// Change the body by a JSON Merge Patch (RFC 7396). Takes an `id`, a `version` and the patch as `body`.
    Update,
    /// Delete the document. Takes an `id` and a `version`.
    Delete,
}

/// Write of one document.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentWrite {
    /// What the write does.
    pub op: DocumentWriteOperation,
    /// Identifier of the document in its collection. Set by the server if it is omitted from `create`.
    #[validate(length(min = 1, max = 512), custom(function = rules::key))]
    pub id: Option<String>,
    /// Version of the document on which the write is based. Required except for `create`.
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// Content of the document, or for `update` a JSON Merge Patch of it. Omitted for `delete`.
    #[validate(custom(function = rules::body))]
    #[schema(value_type = Option<Object>)]
    pub body: Option<ExactObject>,
}

/// Writes of documents of one collection.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "items": [
    { "op": "create", "id": "waffles", "body": { "title": "Waffles", "servings": 4 } },
    { "op": "update", "id": "pancakes", "version": 1, "body": { "servings": 6 } },
    { "op": "delete", "id": "crepes", "version": 3 },
] })))]
pub struct DocumentBulk {
    /// Writes to apply in this order, 1 to 1000.
    #[validate(length(min = 1, max = 1000))]
    #[schema(value_type = Vec<DocumentWrite>)]
    pub items: Vec<ExactObject>,
    /// Whether all writes are applied or none. By default, each is applied by itself, and has a result of its own.
    #[serde(default)]
    pub atomic: bool,
}

impl ExactMembers for DocumentBulk {
    const EXACT: &'static [&'static str] = &["items/*/body"];
}

/// Results of several writes of documents.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentBulkResult {
    /// Results, one for each write, in the order of the request.
    pub results: Vec<DocumentWriteResult>,
}

/// Result of one write.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentWriteResult {
    /// Identifier of the document in its collection; null if a new document was refused that named none.
    pub id: Option<String>,
    /// Outcome of the write. The pointers of violations are those of the write.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Writes documents of a collection, in one transaction. Without `atomic`, what is refused leaves nothing, and the
/// others go on.
pub async fn write_many(
    store: WriteOnce<'_, DocumentBulkResult>,
    actor: &Actor,
    collection: &str,
    body: DeferredExact<DocumentBulk>,
) -> Result<DocumentBulkResult> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    store
        .write(async move |tx| {
            let collection = collection::writable(tx, &actor, &collection).await?;
            let DocumentBulk { items, atomic } = body.read()?;
            let ids = items.iter().filter_map(id_of).map(|key| rules::uuid(collection.id, &key));
            let ids: Vec<_> = ids.collect();
            repository::prepare(tx, actor.organization_id, &ids).await?;
            let mut results = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                let writing = Writing { actor: &actor, collection: &collection };
                results.push(if atomic {
                    writing.of_all(tx, index, item).await?
                } else {
                    writing.alone(tx, item).await?
                });
            }
            Ok(DocumentBulkResult { results })
        })
        .await
}

/// Who writes, and where.
struct Writing<'a> {
    actor: &'a Actor,
    collection: &'a Collection,
}

/// What a write has left.
enum Left {
    Document(Document),
    Nothing { version: i64 },
}

impl Writing<'_> {
    async fn of_all(
        &self,
        tx: &Tx,
        index: usize,
        item: ExactObject,
    ) -> Result<DocumentWriteResult> {
        let id = id_of(&item);
        let left = self.write(tx, item).await.map_err(|error| match error {
            // 404 would be said of the collection.
            Error::NotFound(_) => {
                let message = "must identify a document of the collection";
                Error::invalid(format!("/items/{index}/id"), "unknown", message)
            }
            other => other.at_index(index),
        })?;
        applied(id, left)
    }

    async fn alone(&self, tx: &Tx, item: ExactObject) -> Result<DocumentWriteResult> {
        let id = id_of(&item);
        let written = tx.savepoint(async |tx| self.write(tx, item).await);
        let outcome = match written.await? {
            Ok(left) => return applied(id, left),
            Err(Error::Stale(stale)) => Outcome::Conflict {
                current_version: stale.current_version,
                current: Some(stale.current),
            },
            Err(error) => Outcome::of_error(error)?,
        };
        Ok(DocumentWriteResult { id, outcome })
    }

    async fn write(&self, tx: &Tx, item: ExactObject) -> Result<Left> {
        use DocumentWriteOperation as Op;
        let DocumentWrite { op, id, version, body } = input::read(Value::Object(item.0))?;
        let (actor, collection) = (self.actor, self.collection);
        if op == Op::Create {
            let body = body.ok_or_else(|| required("/body"))?;
            refuse("/version", version)?;
            let key = id.unwrap_or_else(|| tx.new_id().to_string());
            return insert(tx, actor, collection, key, body).await.map(Left::Document);
        }
        let key = id.ok_or_else(|| required("/id"))?;
        let id = rules::uuid(collection.id, &key);
        let row = repository::find_in(tx, actor.organization_id, id).await?;
        let row = row.ok_or(Error::NotFound(Document::ENTITY))?;
        let current = Document::of(collection, row.clone())?;
        Expected::of(version, Expected::Unnamed).check(current.version, &current)?;
        let body = match (op, body) {
            (Op::Delete, body) => {
                refuse("/body", body)?;
                remove(tx, actor, collection, &row, &current).await?;
                return Ok(Left::Nothing { version: current.version + 1 });
            }
            (_, None) => return Err(required("/body")),
            (Op::Update, Some(patch)) => merged(&current, patch)?,
            (_, Some(body)) => body,
        };
        let of = (&row, &current.body);
        update(tx, actor, Verb::Updated, collection, of, body).await.map(Left::Document)
    }
}

/// The body that a merge patch makes of a document's.
fn merged(current: &Document, patch: ExactObject) -> Result<ExactObject> {
    let patch = Map::from_iter([("body".to_owned(), Value::Object(patch.0))]);
    let change = Change::<DocumentInput>::from_body(Value::Object(patch))?;
    Ok(change.apply(&current.input())?.body)
}

fn id_of(item: &ExactObject) -> Option<String> {
    item.get("id").and_then(Value::as_str).map(str::to_owned)
}

fn required(pointer: &str) -> Error {
    Error::invalid(pointer, "required", "is required")
}

fn refuse<T>(pointer: &str, member: Option<T>) -> Result<()> {
    match member {
        None => Ok(()),
        Some(_) => {
            let message = "must be omitted from this operation";
            Err(Error::Invalid(vec![Violation::new(pointer, "unknown_field", message)]))
        }
    }
}

fn applied(id: Option<String>, left: Left) -> Result<DocumentWriteResult> {
    Ok(match left {
        Left::Nothing { version } => {
            DocumentWriteResult { id, outcome: Outcome::Applied { version, data: None } }
        }
        Left::Document(document) => {
            let data = serde_json::to_value(&document)
                .map_err(|error| Error::Internal(format!("a resource cannot be shown: {error}")))?;
            let outcome = Outcome::Applied { version: document.version, data: Some(data) };
            DocumentWriteResult { id: Some(document.id), outcome }
        }
    })
}
