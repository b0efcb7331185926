//! Bodies of rows, wherever they are. One that another store keeps is empty in its row, which no body is.

use std::borrow::Cow;

use entity::document;

use crate::{
    error::Result,
    store::{Kept, Part, Store, Tx},
};

fn is_elsewhere(row: &document::Model) -> bool {
    row.body.is_empty()
}

fn part(row: &document::Model) -> Part {
    Part {
        organization_id: row.organization_id,
        collection_id: row.collection_id,
        id: row.id,
        key: row.key.clone(),
        version: row.version,
    }
}

/// Reads the bodies of rows that another store keeps. Of a document that was written meanwhile, the row becomes what it
/// is now; one that was deleted meanwhile is left out.
///
/// # Errors
/// Where that store cannot be read.
pub(crate) async fn fill(
    store: &Store,
    rows: Vec<document::Model>,
) -> Result<Vec<document::Model>> {
    let wanted: Vec<Part> = rows.iter().filter(|row| is_elsewhere(row)).map(part).collect();
    if wanted.is_empty() {
        return Ok(rows);
    }
    let mut found = store.read_parts(wanted).await?;
    let whole = rows.into_iter().filter_map(|row| match found.remove(&row.id) {
        Some(kept) => as_kept(row, kept),
        None => Some(row),
    });
    Ok(whole.collect())
}

fn as_kept(row: document::Model, kept: Kept) -> Option<document::Model> {
    let body = kept.text?;
    if kept.version == row.version {
        return Some(document::Model { body, ..row });
    }
    Some(document::Model {
        version: kept.version,
        created_at: kept.created_at.fixed_offset(),
        updated_at: kept.updated_at.fixed_offset(),
        body,
        ..row
    })
}

/// The same in a transaction, which is begun again if bodies have to be read.
///
/// # Errors
/// As of [`Tx::parts`].
pub(crate) fn fill_in(tx: &Tx, rows: &mut [document::Model]) -> Result<()> {
    let places: Vec<_> = rows.iter_mut().filter(|row| is_elsewhere(row)).collect();
    let wanted: Vec<Part> = places.iter().map(|row| part(row)).collect();
    for (row, kept) in places.into_iter().zip(tx.parts(&wanted)?) {
        row.body = kept.text.clone().unwrap_or_default();
    }
    Ok(())
}

/// A row as its next version is written over it: the database may not have the body that it was filled with, so that
/// even the same one is written.
pub(crate) fn row_of_write<'a>(tx: &Tx, row: &'a document::Model) -> Cow<'a, document::Model> {
    match tx.has_remote() {
        true => Cow::Owned(document::Model { body: String::new(), ..row.clone() }),
        false => Cow::Borrowed(row),
    }
}
