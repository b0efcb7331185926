use entity::event;
use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::Document;
use crate::{
    actor::Actor,
    document::collection,
    error::Result,
    event::{Effect, Event, head_position, repository::latest_of_row, require_reached},
    resource::Resource,
    store::{
        Store,
        page::{DEFAULT_LIMIT, MAX_LIMIT},
        versioned,
    },
};

/// Position and limit of a request for the changes of a collection.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DocumentChangesQuery {
    /// Return changes after this position: `next_after` of the previous response. Omit it to start with the first
    /// change.
    #[validate(range(min = 0))]
    pub after: Option<i64>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
}

/// Changes of a collection after a position: the latest state of each changed document, in the order of their latest
/// changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentChanges {
    /// Changed documents.
    pub items: Vec<DocumentChange>,
    /// Position to pass as `after` in the next request, at once or later.
    pub next_after: i64,
    /// Whether there are further changes, even if this response has no items.
    pub more: bool,
}

/// Latest state of a document that has changed after a position.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentChange {
    /// Identifier of the document in its collection.
    pub id: String,
    /// Current version of the document; for a deleted one, its last version plus one.
    pub version: i64,
    /// Position of the latest change in the log of the organization.
    pub position: i64,
    /// Whether the document is deleted.
    pub deleted: bool,
    /// Current state of the document; null if it is deleted.
    #[schema(value_type = Option<Document>)]
    pub document: Option<Value>,
}

/// The documents of a collection that have changed after a position of the log, each once, as it is now. Of one that
/// has changed again since, the later change tells: an answer may have fewer items than its limit, and takes no more
/// than that.
pub async fn changes(
    store: &Store,
    actor: &Actor,
    collection: &str,
    query: &DocumentChangesQuery,
) -> Result<DocumentChanges> {
    let (connection, log) = (store.read(), actor.organization_id);
    let collection = collection::readable(connection, actor, collection).await?;
    let after = query.after.unwrap_or(0);
    // Before the changes: what is later than this end comes in the next answer.
    let end = head_position(store, actor).await?;
    require_reached(after, end, "?after")?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let positions = positions(connection, log, (collection.id, after), limit).await?;
    let more = positions.len() as u64 == limit;
    let last = positions.last().copied().unwrap_or(after);
    let next_after = if more { last } else { std::cmp::max(last, end) };
    let events = versioned::find_in_organization::<event::Entity>(log)
        .filter(event::COLUMN.scope_id.eq(collection.id))
        .filter(event::Column::Position.is_in(positions))
        .filter(Expr::col((event::Entity, event::Column::Id)).eq(latest_of_row(log)))
        .order_by_asc(event::Column::Position);
    let events = store.visibility(actor).rows(connection, events).await?;
    let events = events.into_iter().map(|row| Event::decrypted(store.keyring(), row));
    let items = events.filter_map(|event| event.map(shown).transpose());
    Ok(DocumentChanges { items: items.collect::<Result<_>>()?, next_after, more })
}

/// The first positions after another at which something has happened in a collection.
async fn positions(
    connection: &impl ConnectionTrait,
    log: Uuid,
    (collection_id, after): (Uuid, i64),
    limit: u64,
) -> Result<Vec<i64>> {
    let positions: Vec<Option<i64>> = versioned::find_in_organization::<event::Entity>(log)
        .select_only()
        .column(event::Column::Position)
        .filter(event::COLUMN.scope_id.eq(collection_id))
        .filter(event::COLUMN.position.gt(after))
        .filter(event::COLUMN.entity.eq(Document::ENTITY))
        .order_by_asc(event::Column::Position)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(positions.into_iter().flatten().collect())
}

fn shown(event: Event) -> Option<DocumentChange> {
    let deleted = event.effect == Effect::Removed;
    let data = event.data?;
    let id = data["id"].as_str()?.to_owned();
    let document = Some(data).filter(|_| !deleted);
    Some(DocumentChange {
        id,
        version: event.version,
        position: event.position?,
        deleted,
        document,
    })
}
