//! The cards that a write of time needs: held, open, and made where there are none.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{member, timecard};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Status, Timecard, repository, rules};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{
        Tx,
        stored::{self, StoredWord},
        versioned,
    },
};

/// How many cards one statement writes, of a dozen parameters each: SQLite takes 32,766 in all.
const CARDS_PER_STATEMENT: usize = 1000;

/// A week of a member, by its Monday.
pub(crate) type Week = (Uuid, NaiveDate);

/// Makes whoever else writes time of these members, or submits a timecard of theirs, wait until this
/// transaction ends (docs/decisions/0012).
///
/// # Errors
/// [`Error::Reference`] where one is no member.
pub(crate) async fn lock_members(
    tx: &Tx,
    organization_id: Uuid,
    members: impl IntoIterator<Item = Uuid>,
) -> Result<()> {
    // In one order: two that lock several do not wait for each other.
    let members: BTreeSet<Uuid> = members.into_iter().collect();
    for id in members {
        if !versioned::lock_by_id::<member::Entity>(tx, organization_id, id).await? {
            return Err(Error::Reference);
        }
    }
    Ok(())
}

/// The timecards of some weeks, whose members are locked.
#[derive(Debug)]
pub(crate) struct WeekTimecards(HashMap<Week, timecard::Model>);

impl WeekTimecards {
    /// Those that are there.
    pub(crate) async fn read(
        tx: &Tx,
        organization_id: Uuid,
        weeks: &BTreeSet<Week>,
    ) -> Result<Self> {
        let cards = repository::of_weeks(tx, organization_id, weeks).await?;
        let week = |card: &timecard::Model| (card.member_id, card.week_starts_on);
        Ok(Self(cards.into_iter().map(|card| (week(&card), card)).collect()))
    }

    /// Whether time of a week may be changed.
    ///
    /// # Errors
    /// [`Error::State`] where its card is submitted or approved.
    pub(crate) fn ensure_open(&self, week: Week) -> Result<()> {
        let Some(card) = self.0.get(&week) else { return Ok(()) };
        let status: Status = stored::word(timecard::Column::Status, card.id, &card.status)?;
        if !rules::locked(status) {
            return Ok(());
        }
        let (monday, status) = (card.week_starts_on, status.as_str());
        let detail = format!("the timecard of the week of {monday} is {status}");
        Err(Error::conflict("week_locked", detail, card.id))
    }

    /// Makes the cards that are missing for these weeks.
    pub(crate) async fn insert_missing(
        &mut self,
        tx: &Tx,
        actor: &Actor,
        weeks: impl IntoIterator<Item = Week>,
    ) -> Result<()> {
        let missing: BTreeSet<Week> =
            weeks.into_iter().filter(|week| !self.0.contains_key(week)).collect();
        let missing: Vec<_> = missing.into_iter().collect();
        for some in missing.chunks(CARDS_PER_STATEMENT) {
            let row = |week: &Week| new_row(tx, actor, tx.new_id(), *week);
            let keep = |row: timecard::Model| {
                self.0.insert((row.member_id, row.week_starts_on), row.clone());
                Timecard::try_from(row)
            };
            versioned::insert_many(tx, actor, some.iter().map(row).collect(), None, keep).await?;
        }
        Ok(())
    }

    /// The card of a week that has one.
    pub(crate) fn id(&self, week: Week) -> Result<Uuid> {
        let missing = || Error::Internal("a week has no timecard".into());
        self.0.get(&week).map(|card| card.id).ok_or_else(missing)
    }
}

/// An open card.
pub(super) fn new_row(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    (member_id, week_starts_on): Week,
) -> timecard::ActiveModel {
    let now = tx.now().fixed_offset();
    timecard::ActiveModel {
        organization_id: Set(actor.organization_id),
        id: Set(id),
        member_id: Set(member_id),
        week_starts_on: Set(week_starts_on),
        status: Set(Status::Open.as_str().to_owned()),
        submitted_at: Set(None),
        submitted_by_member_id: Set(None),
        decided_at: Set(None),
        decided_by_member_id: Set(None),
        decision_note: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
}
