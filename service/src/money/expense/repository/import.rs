//! The rows of imported expenses, which are known by their keys.

use entity::expense;
use sea_orm::sea_query::OnConflict;
use uuid::Uuid;

use super::{insert_many, insert_names, view};
use crate::{actor::Actor, error::Result, store::Tx};

/// Writes imported expenses that are not there yet, and gives the ids of those that were not.
pub(in crate::money::expense) async fn insert_unknown(
    tx: &Tx,
    actor: &Actor,
    rows: Vec<expense::ActiveModel>,
) -> Result<Vec<Uuid>> {
    let known = OnConflict::columns([expense::Column::OrganizationId, expense::Column::ImportKey])
        .do_nothing()
        .to_owned();
    let view = |row| view(row, Vec::new());
    let made = insert_many(tx, actor, rows, Some(known), view).await?;
    insert_names(tx, actor.organization_id, &made).await?;
    Ok(made.iter().map(|expense| expense.id).collect())
}
