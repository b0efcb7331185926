//! Removes the bytes of what no row names any more. Any node may do it, and several at once: a name is of one object
//! for ever, and one that is gone is removed.

use entity::object_removal::{Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::stored;
use crate::{
    error::Result,
    fault,
    objects::{ObjectName, Objects},
    store::{Store, Tx},
};

/// How many objects one turn removes.
const BATCH_SIZE: usize = 100;
/// What the name of a folder ends with.
const FOLDER: char = '/';

/// Has all that is stored of an organization removed.
pub(crate) async fn remove_organization(tx: &Tx, organization_id: Uuid) -> Result<()> {
    stored::remove_later(tx, &format!("{organization_id}{FOLDER}")).await
}

/// Removes some objects, and says how many; zero if there is nothing to remove.
pub async fn run_once(store: &Store) -> Result<u64> {
    let rows = Entity::find().order_by_asc(Column::Id).limit(BATCH_SIZE as u64);
    let rows: Vec<Model> = rows.all(store.read()).await?;
    // Where nobody says where objects are, there are none: they are named before one is stored.
    let Ok(objects) = store.objects() else { return Ok(0) };
    let mut done = Vec::new();
    for Model { id, name } in rows {
        if remove(objects, &name).await? {
            done.push(id);
        } else {
            // More is left of a folder than one turn removes.
            finish(store, done).await?;
            return Ok(BATCH_SIZE as u64);
        }
    }
    let count = done.len() as u64;
    if count > 0 {
        fault::point(format_args!("objects removed"));
    }
    finish(store, done).await?;
    Ok(count)
}

/// Whether all of it is removed.
async fn remove(objects: &Objects, name: &str) -> Result<bool> {
    match name.strip_suffix(FOLDER) {
        Some(folder) => Ok(objects.delete_below(folder, BATCH_SIZE).await? < BATCH_SIZE as u64),
        None => objects.delete(&ObjectName::from_stored(name)).await.map(|()| true),
    }
}

async fn finish(store: &Store, done: Vec<Uuid>) -> Result<()> {
    if done.is_empty() {
        return Ok(());
    }
    let removed = async move |tx: &Tx| {
        Entity::delete_many().filter(Column::Id.is_in(done.iter().copied())).exec(tx).await?;
        Ok(())
    };
    store.write(removed).await
}
