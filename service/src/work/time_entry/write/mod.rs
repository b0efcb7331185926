//! The one way in which time is written. Whoever writes time of a member holds the member first
//! ([`timecard::lock_members`]), so that all that is looked at here stays as it is until it is
//! written: the cards of the weeks, the timer that runs, what the time would overlap.

mod draft;
mod schedule;
mod segments;
mod update;

use std::collections::BTreeSet;

use entity::time_entry;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

pub(super) use segments::{SegmentOwner, begins_at};
pub(super) use update::update;

use self::{
    draft::{Draft, drafts, refuse_archived, skip_known},
    schedule::Schedule,
};
use super::{TimeEntry, TimeEntryInput, days, repository, rules};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Tx, children, versioned},
    work::timecard::{self, Week, WeekTimecards},
};

/// How many entries one statement writes, of two dozen parameters each.
const ROWS_PER_STATEMENT: usize = 500;

/// An entry that is to be made. Its input has been validated and names its member, for whom the actor may
/// record time.
#[derive(Debug, Clone)]
pub(super) struct New {
    /// Its id.
    pub(super) id: Uuid,
    /// What it is to be.
    pub(super) input: TimeEntryInput,
    /// What tells the row of an import from every other.
    pub(super) import_key: Option<String>,
}

/// What has become of entries that were to be made, each with its index.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Those that were made.
    pub(super) made: Vec<(usize, TimeEntry)>,
    /// Those whose import key was there already.
    pub(super) known: Vec<usize>,
    /// Those that were not made, and why.
    pub(super) refused: Vec<(usize, Error)>,
}

/// Makes entries: those that the rules allow, in their order.
///
/// # Errors
/// [`Error::Reference`] where one names a member, a project or a task that is not there; nothing is
/// to be kept then.
pub(super) async fn insert(tx: &Tx, actor: &Actor, news: Vec<New>) -> Result<Written> {
    let mut written = Written::default();
    let mut drafts = drafts(tx, actor, news).await?;
    refuse_archived(tx, actor, &mut drafts, &mut written).await?;
    let members: BTreeSet<Uuid> = drafts.iter().map(|draft| draft.member_id).collect();
    timecard::lock_members(tx, actor.organization_id, members.iter().copied()).await?;
    skip_known(tx, actor, &mut drafts, &mut written).await?;
    let (mut cards, fit) = fitting(tx, actor, drafts, &mut written).await?;
    cards.insert_missing(tx, actor, fit.iter().flat_map(Draft::weeks).collect::<Vec<_>>()).await?;
    written.made = make(tx, actor, &cards, fit).await?;
    written.refused.sort_by_key(|(index, _)| *index);
    Ok(written)
}

/// What would become of entries that were to be made, and the indexes of those that would be: nobody is held,
/// and nothing is written.
pub(super) async fn compare(
    tx: &Tx,
    actor: &Actor,
    news: Vec<New>,
) -> Result<(Written, Vec<usize>)> {
    let mut written = Written::default();
    let mut drafts = drafts(tx, actor, news).await?;
    refuse_archived(tx, actor, &mut drafts, &mut written).await?;
    skip_known(tx, actor, &mut drafts, &mut written).await?;
    let (_, fit) = fitting(tx, actor, drafts, &mut written).await?;
    written.refused.sort_by_key(|(index, _)| *index);
    Ok((written, fit.into_iter().map(|draft| draft.index).collect()))
}

/// Those that lie in open weeks and whose time is free, with the cards of the weeks of all.
async fn fitting(
    tx: &Tx,
    actor: &Actor,
    drafts: Vec<Draft>,
    written: &mut Written,
) -> Result<(WeekTimecards, Vec<Draft>)> {
    let all: BTreeSet<Week> = drafts.iter().flat_map(Draft::weeks).collect();
    let cards = WeekTimecards::read(tx, actor.organization_id, &all).await?;
    let mut schedule = Schedule::of(tx, actor, &drafts).await?;
    let mut fit = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let open = draft.weeks().try_for_each(|week| cards.ensure_open(week));
        let takes_time = draft.import_key.is_some().then_some(Ok(()));
        let takes_time = takes_time.unwrap_or_else(|| rules::ensure_takes_time(&draft.input));
        match takes_time.and(open).and_then(|()| schedule.reserve(tx.now(), &draft)) {
            Ok(()) => fit.push(draft),
            Err(error) => written.refused.push((draft.index, error)),
        }
    }
    Ok((cards, fit))
}

async fn make(
    tx: &Tx,
    actor: &Actor,
    cards: &WeekTimecards,
    fit: Vec<Draft>,
) -> Result<Vec<(usize, TimeEntry)>> {
    let organization_id = actor.organization_id;
    let mut made = Vec::with_capacity(fit.len());
    for chunk in fit.chunks(ROWS_PER_STATEMENT) {
        let mut rows = Vec::with_capacity(chunk.len());
        let mut segments = Vec::new();
        for draft in chunk {
            rows.push(new_row(tx, actor, draft)?);
            let owner = SegmentOwner::of(organization_id, draft.id, draft.member_id, &draft.input);
            segments.extend(owner.segments(cards, &draft.segments)?);
        }
        let entries = versioned::insert_many(tx, actor, rows, None, TimeEntry::try_from).await?;
        children::insert(tx, repository::segment_rows(segments)).await?;
        let tags = entries.iter().map(|entry| (entry.id, &entry.tags[..]));
        let tags = repository::tag_rows(organization_id, tags);
        children::insert(tx, tags).await?;
        made.extend(chunk.iter().map(|draft| draft.index).zip(entries));
    }
    Ok(made)
}

fn new_row(tx: &Tx, actor: &Actor, draft: &Draft) -> Result<time_entry::ActiveModel> {
    let Draft { index: _, id, member_id, input, import_key, segments } = draft;
    let begins_at = begins_at(&actor.settings, input, segments);
    let now = tx.now().fixed_offset();
    Ok(time_entry::ActiveModel {
        organization_id: Set(actor.organization_id),
        id: Set(*id),
        import_key: Set(import_key.clone()),
        created_by_member_id: Set(actor.member_id),
        changed_by_member_id: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        ..repository::columns(input, *member_id, begins_at, segments)?
    })
}

/// Removes an entry.
pub(super) async fn delete(
    tx: &Tx,
    actor: &Actor,
    row: &time_entry::Model,
    current: &TimeEntry,
) -> Result<()> {
    let organization_id = actor.organization_id;
    timecard::lock_members(tx, organization_id, [row.member_id]).await?;
    let segments = repository::segments(tx, organization_id, row.id).await?;
    let weeks = segments.iter().map(|it| (it.member_id, days::week_of(it.day))).collect();
    let cards = WeekTimecards::read(tx, organization_id, &weeks).await?;
    weeks.into_iter().try_for_each(|week| cards.ensure_open(week))?;
    versioned::delete(tx, actor, row, current).await
}
