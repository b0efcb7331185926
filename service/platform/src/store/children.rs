//! Rows that are parts of a row of another table, and have no version of their own: they are written with it.

use entity::Child;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, Iterable, QueryFilter};
use uuid::Uuid;

use super::Tx;
use crate::error::Result;

/// How many parameters one statement has at most: SQLite takes 32,766.
const MAX_PARAMETERS: usize = 30_000;

/// Writes new rows, many with one statement; no statement for none.
pub async fn insert<A: ActiveModelTrait>(tx: &Tx, rows: Vec<A>) -> Result<()> {
    let columns = <A::Entity as EntityTrait>::Column::iter().count();
    let mut rows = rows.into_iter();
    loop {
        let chunk: Vec<_> = rows.by_ref().take(MAX_PARAMETERS / columns).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        A::Entity::insert_many(chunk).exec_without_returning(tx).await?;
    }
}

/// Removes all rows of one parent.
pub async fn delete<E: Child>(tx: &Tx, organization_id: Uuid, parent_id: Uuid) -> Result<()> {
    E::delete_many()
        .filter(E::ORGANIZATION_ID.eq(organization_id))
        .filter(E::PARENT_ID.eq(parent_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Writes the rows of one parent in the place of those that there are.
pub async fn replace<A>(tx: &Tx, organization_id: Uuid, parent_id: Uuid, rows: Vec<A>) -> Result<()>
where
    A: ActiveModelTrait,
    A::Entity: Child,
{
    delete::<A::Entity>(tx, organization_id, parent_id).await?;
    insert(tx, rows).await
}
