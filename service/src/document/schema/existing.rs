//! Whether the documents that are there fit a schema: some of them in each look, in the order of their keys.

use entity::document;
use sea_orm::{QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Schema, Secrets, open};
use crate::{
    document::outbox,
    error::{Error, Result, Violation},
    seal::Keyring,
    store::{Tx, rows, stored, versioned},
};

/// How many documents that do not fit are told of at once.
const MAX_TOLD: usize = 20;
/// How many violations are told of each of them.
const MAX_VIOLATIONS: usize = 5;
/// How many rows are read at once.
const ROWS_PER_QUERY: u64 = 20;
/// After how many bytes of bodies a look ends.
const MAX_BYTES: usize = 8 << 20;

/// Document whose body does not fit a schema.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InvalidDocument {
    /// Identifier of the document in its collection.
    pub id: String,
    /// Rules of the schema that its body violates, the first 5, with JSON pointers such as `/body/servings`.
    pub violations: Vec<Violation>,
}

/// What a look has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// How many documents were checked.
    pub(crate) checked: u64,
    /// Those that do not fit.
    pub(crate) invalid: Vec<InvalidDocument>,
    /// The key of the last document that was checked, if there are more.
    pub(crate) last: Option<String>,
}

/// Checks at most `limit` documents of a collection after a key; fewer where they are large, or many do not fit.
pub(crate) async fn look(
    tx: &Tx,
    schema: &Schema,
    (organization_id, collection_id): (Uuid, Uuid),
    after: Option<String>,
    limit: u64,
) -> Result<Found> {
    let (mut found, mut after, mut bytes) = (Found::default(), after, 0);
    loop {
        let asked = tx.rows_at_once(ROWS_PER_QUERY).min(limit - found.checked);
        let page = next(tx, (organization_id, collection_id), after, asked).await?;
        let is_last = (page.len() as u64) < asked;
        for row in &page {
            bytes += row.body.len();
            found.checked += 1;
            found.invalid.extend(check(tx.keyring(), schema, row)?);
            if bytes > MAX_BYTES || found.invalid.len() >= MAX_TOLD {
                found.last = Some(row.key.clone());
                return Ok(found);
            }
        }
        after = page.into_iter().next_back().map(|row| row.key);
        if is_last || found.checked >= limit {
            found.last = after.filter(|_| !is_last);
            return Ok(found);
        }
    }
}

async fn next(
    tx: &Tx,
    (organization_id, collection_id): (Uuid, Uuid),
    after: Option<String>,
    limit: u64,
) -> Result<Vec<document::Model>> {
    let documents = versioned::find_in_organization::<document::Entity>(organization_id)
        .filter(document::COLUMN.collection_id.eq(collection_id))
        .apply_if(after, |rows, after| rows.filter(document::COLUMN.key.gt(after)))
        .order_by_asc(document::Column::Key)
        .limit(limit);
    let mut rows = rows::all(tx, documents).await?;
    outbox::fill_in(tx, &mut rows)?;
    Ok(rows)
}

/// A body with masks is checked with the secrets that they stand for.
fn check(
    keyring: &Keyring,
    schema: &Schema,
    row: &document::Model,
) -> Result<Option<InvalidDocument>> {
    let body = stored::exact_object(document::Column::Body, row.id, &row.body)?;
    let kept = match &row.secrets {
        Some(sealed) => open(keyring, (row.organization_id, row.id), sealed)?,
        None => Secrets::new(),
    };
    match schema.admit(body, &kept).map_err(|error| error.prefix_pointer("/body")) {
        Ok(_) => Ok(None),
        Err(Error::Invalid(mut violations)) => {
            violations.truncate(MAX_VIOLATIONS);
            Ok(Some(InvalidDocument { id: row.key.clone(), violations }))
        }
        Err(other) => Err(other),
    }
}
