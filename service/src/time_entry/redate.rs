//! The days of entries by the rules of time zones that are known today.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use entity::{time_entry, time_entry_day};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    TimeEntry,
    days::{self, Piece},
    repository,
    write::{Owner, begins_at},
};
use crate::{
    actor::Actor,
    error::Result,
    event::Verb,
    organization::Settings,
    redating::{Chunk, Field, Misdated, Zones},
    resource::Changeable,
    store::{Tx, versioned},
    timecard::{self, Cards, Week},
};

/// Where an entry lies: when it begins, and its days.
type Lay = (DateTime<Utc>, Vec<Piece>);

/// Some entries, and which of them lie elsewhere by now.
pub(crate) async fn chunk(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    zones: &Zones,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Chunk> {
    let organization_id = actor.organization_id;
    let rows = repository::after(connection, organization_id, (after, limit)).await?;
    let mut chunk = Chunk { checked: rows.len() as u64, ..Chunk::default() };
    chunk.last = rows.last().map(|row| row.id);
    let ids = rows.iter().map(|row| row.id).collect();
    let mut pieces: BTreeMap<Uuid, Vec<time_entry_day::Model>> = BTreeMap::new();
    for piece in repository::pieces_of(connection, organization_id, ids).await? {
        pieces.entry(piece.time_entry_id).or_default().push(piece);
    }
    for row in rows {
        let stored = lay_of(&row, pieces.get(&row.id).map_or(&[][..], |found| found));
        if let Some(right) = moved(&row, &stored, zones) {
            let (stored, right) = (shown(&row, &stored), shown(&row, &right));
            chunk.misdated.push(Misdated { id: row.id, field: Field::Days, stored, right });
        }
    }
    Ok(chunk)
}

fn lay_of(row: &time_entry::Model, pieces: &[time_entry_day::Model]) -> Lay {
    let pieces = pieces.iter().map(|it| Piece { day: it.day, seconds: it.seconds });
    (row.started_at.to_utc(), pieces.collect())
}

/// Where it would lie, if that is not where it does: in none of the time zones in which it may have been
/// written.
fn moved(row: &time_entry::Model, stored: &Lay, zones: &Zones) -> Option<Lay> {
    let input = TimeEntry::from(row.clone()).input();
    let lay = |settings: &Settings| {
        let pieces = days::of(settings, &input);
        (begins_at(settings, &input, &pieces), pieces)
    };
    let written = zones.between(row.created_at.to_utc(), row.updated_at.to_utc());
    let mut last = None;
    for (_, settings) in written {
        let lay = lay(settings);
        if lay == *stored {
            return None;
        }
        last = Some(lay);
    }
    last
}

fn shown(row: &time_entry::Model, (begins_at, pieces): &Lay) -> String {
    let days = pieces.iter().map(|it| format!("{} {}s", it.day, it.seconds));
    let days = days.collect::<Vec<_>>().join(", ");
    if row.timed { days } else { format!("{days} from {begins_at}") }
}

/// Writes where an entry lies, where that is elsewhere by now.
///
/// # Errors
/// [`crate::Error::State`] where a week of it is locked.
pub(crate) async fn redate(tx: &Tx, actor: &Actor, zones: &Zones, id: Uuid) -> Result<()> {
    let organization_id = actor.organization_id;
    let row = repository::get(tx, organization_id, id).await?;
    timecard::lock_members(tx, organization_id, [row.member_id]).await?;
    let before = repository::pieces(tx, organization_id, id).await?;
    let Some((begins_at, pieces)) = moved(&row, &lay_of(&row, &before), zones) else {
        return Ok(());
    };
    let current = TimeEntry::from(row.clone());
    let input = current.input();
    let week = |day| (row.member_id, days::week_of(day));
    let after: Vec<Week> = pieces.iter().map(|piece| week(piece.day)).collect();
    let touched = before.iter().map(|piece| week(piece.day)).chain(after.iter().copied());
    let touched: BTreeSet<Week> = touched.collect();
    let mut cards = Cards::read(tx, organization_id, &touched).await?;
    touched.into_iter().try_for_each(|week| cards.open(week))?;
    cards.make(tx, actor, after).await?;
    let next = repository::columns(&input, row.member_id, begins_at, &pieces)?;
    versioned::update(tx, actor, Verb::Changed, &row, next, TimeEntry::from).await?;
    let owner = Owner::of(organization_id, id, row.member_id, &input);
    repository::delete_pieces(tx, organization_id, id).await?;
    repository::insert_pieces(tx, owner.pieces(&cards, &pieces)?).await
}
