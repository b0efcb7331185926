//! Leases: which of several nodes does a piece of work.
//!
//! A lease is a row that is written in the transaction of the work itself. Of two transactions that
//! both take it, the database lets one commit; the other runs again and finds that it is taken. So
//! the work is done once, whatever the clocks say; they only decide how long the others wait.

use chrono::TimeDelta;
use entity::lease;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::Tx,
};

/// How long a lease is held without being renewed.
pub const LASTS: TimeDelta = TimeDelta::seconds(5);

/// Takes or renews a lease for a node, until this long after now. False if another node holds it.
///
/// # Errors
/// Where another node was faster, the whole closure runs again ([`Error::Again`]).
pub async fn hold(tx: &Tx, name: &str, node: Uuid) -> Result<bool> {
    let now = tx.now();
    let expires_at = (now + LASTS).fixed_offset();
    let Some(current) = lease::Entity::find_by_id(name).one(tx).await? else {
        let new = lease::ActiveModel {
            work: Set(name.to_owned()),
            holder: Set(node),
            term: Set(1),
            expires_at: Set(expires_at),
        };
        let taken = OnConflict::column(lease::Column::Work).do_nothing().to_owned();
        let inserted =
            lease::Entity::insert_many([new]).on_conflict(taken).exec_without_returning(tx).await?;
        return if inserted == 1 { Ok(true) } else { Err(overtaken()) };
    };
    if current.holder != node && current.expires_at.to_utc() > now {
        return Ok(false);
    }
    let renewed = lease::Entity::update_many()
        .set(lease::ActiveModel {
            holder: Set(node),
            term: Set(current.term + 1),
            expires_at: Set(expires_at),
            ..Default::default()
        })
        .filter(lease::COLUMN.work.eq(name))
        .filter(lease::COLUMN.term.eq(current.term))
        .exec(tx)
        .await?;
    if renewed.rows_affected == 1 { Ok(true) } else { Err(overtaken()) }
}

fn overtaken() -> Error {
    Error::Again("another node has just taken the lease".into())
}
