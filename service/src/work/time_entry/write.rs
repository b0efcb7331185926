//! The one way in which time is written. Whoever writes time of a member holds the member first
//! ([`timecard::lock_members`]), so that all that is looked at here stays as it is until it is
//! written: the cards of the weeks, the timer that runs, what the time would overlap.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{time_entry, time_entry_day};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    TimeEntry, TimeEntryInput,
    days::{self, DaySegment},
    interval_set::{Interval, IntervalSet},
    repository, rules,
};
use crate::{
    actor::{Actor, Settings},
    error::{Error, Result},
    event::Verb,
    resource::Changeable,
    store::{Tx, children, versioned},
    work::{
        project,
        timecard::{self, Week, WeekTimecards},
    },
};

/// How many entries one statement writes, of two dozen parameters each.
const ROWS_PER_STATEMENT: usize = 500;

/// An entry that is to be made. Its input has been validated and names its member, for whom the actor may
/// record time.
#[derive(Debug, Clone)]
pub(crate) struct New {
    /// Its id.
    pub(crate) id: Uuid,
    /// What it is to be.
    pub(crate) input: TimeEntryInput,
    /// What tells the row of an import from every other.
    pub(crate) import_key: Option<String>,
}

/// What has become of entries that were to be made, each with its index.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Those that were made.
    pub(crate) made: Vec<(usize, TimeEntry)>,
    /// Those whose import key was there already.
    pub(crate) known: Vec<usize>,
    /// Those that were not made, and why.
    pub(crate) refused: Vec<(usize, Error)>,
}

/// An entry on its way.
struct Draft {
    index: usize,
    id: Uuid,
    member_id: Uuid,
    input: TimeEntryInput,
    import_key: Option<String>,
    segments: Vec<DaySegment>,
}

impl Draft {
    fn weeks(&self) -> impl Iterator<Item = Week> + '_ {
        weeks(self.member_id, &self.segments)
    }
}

fn weeks(member_id: Uuid, segments: &[DaySegment]) -> impl Iterator<Item = Week> + '_ {
    segments.iter().map(move |segment| (member_id, days::week_of(segment.day)))
}

/// The time that an entry takes; none where only the day is known.
fn interval(input: &TimeEntryInput) -> Option<Interval> {
    input.started_at.map(|start| Interval { start, end: input.ended_at })
}

fn member_of(input: &TimeEntryInput) -> Result<Uuid> {
    input.member_id.ok_or_else(|| Error::invalid("/member_id", "required", "is required"))
}

/// Makes entries: those that the rules allow, in their order.
///
/// # Errors
/// [`Error::Reference`] where one names a member, a project or a task that is not there; nothing is
/// to be kept then.
pub(crate) async fn insert(tx: &Tx, actor: &Actor, news: Vec<New>) -> Result<Written> {
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
pub(crate) async fn compare(
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

/// With the projects of their tasks, where they name none themselves.
async fn drafts(tx: &Tx, actor: &Actor, news: Vec<New>) -> Result<Vec<Draft>> {
    let tasks: BTreeSet<Uuid> = news.iter().filter_map(|new| new.input.task_id).collect();
    let projects = projects_of_tasks(tx, actor, tasks).await?;
    let drafts = news.into_iter().enumerate().map(|(index, New { id, mut input, import_key })| {
        let of_task = input.task_id.and_then(|task| projects.get(&task).copied().flatten());
        input.project_id = input.project_id.or(of_task);
        let member_id = member_of(&input)?;
        let segments = days::of(&actor.settings, &input);
        Ok(Draft { index, id, member_id, input, import_key, segments })
    });
    drafts.collect()
}

/// The projects of tasks that are there, all of them.
async fn projects_of_tasks(
    tx: &Tx,
    actor: &Actor,
    tasks: BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, Option<Uuid>>> {
    if tasks.is_empty() {
        return Ok(HashMap::new());
    }
    let asked = tasks.len();
    let found = repository::projects_of_tasks(tx, actor.organization_id, tasks).await?;
    if found.len() == asked { Ok(found) } else { Err(Error::Reference) }
}

/// Takes out what names a project that takes nothing new.
async fn refuse_archived(
    tx: &Tx,
    actor: &Actor,
    drafts: &mut Vec<Draft>,
    written: &mut Written,
) -> Result<()> {
    let projects: BTreeSet<Uuid> = drafts.iter().filter_map(|it| it.input.project_id).collect();
    match project::ensure_all_accept_new(tx, actor.organization_id, projects.iter().copied()).await
    {
        Ok(()) => return Ok(()),
        Err(Error::State { .. }) => {}
        Err(other) => return Err(other),
    }
    for id in projects {
        if let Err(error) =
            project::ensure_accepts_new(tx, actor.organization_id, None, Some(id)).await
        {
            let Error::State { code, detail, .. } = error else { return Err(error) };
            let named = drafts.extract_if(.., |draft| draft.input.project_id == Some(id));
            let refused = named.map(|draft| (draft.index, Error::state(code, detail.clone())));
            written.refused.extend(refused);
        }
    }
    Ok(())
}

/// Takes out what an import has brought before, or brings twice.
async fn skip_known(
    tx: &Tx,
    actor: &Actor,
    drafts: &mut Vec<Draft>,
    written: &mut Written,
) -> Result<()> {
    let keys: Vec<&str> = drafts.iter().filter_map(|draft| draft.import_key.as_deref()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut known = repository::known_keys(tx, actor.organization_id, keys).await?;
    let is_known =
        |draft: &mut Draft| draft.import_key.as_ref().is_some_and(|key| !known.insert(key.clone()));
    written.known.extend(drafts.extract_if(.., is_known).map(|draft| draft.index));
    Ok(())
}

/// Whose timer runs, and which of their time is taken.
#[derive(Default)]
struct Schedule {
    timers: HashMap<Uuid, Uuid>,
    /// None where time may overlap.
    occupied: Option<HashMap<Uuid, IntervalSet>>,
    /// The entries of the same request.
    new: HashMap<Uuid, usize>,
}

impl Schedule {
    async fn of(tx: &Tx, actor: &Actor, drafts: &[Draft]) -> Result<Self> {
        let times =
            drafts.iter().filter_map(|draft| Some((draft.member_id, interval(&draft.input)?)));
        Self::around(tx, actor, times.collect(), None).await
    }

    /// What is there around these times, without one entry that is about to get another.
    async fn around(
        tx: &Tx,
        actor: &Actor,
        times: Vec<(Uuid, Interval)>,
        without: Option<Uuid>,
    ) -> Result<Self> {
        let mut schedule = Self::default();
        let overlap_allowed = actor.settings.overlap_allowed;
        if times.is_empty() || (overlap_allowed && times.iter().all(|it| it.1.end.is_some())) {
            return Ok(schedule);
        }
        let members: HashSet<Uuid> = times.iter().map(|it| it.0).collect();
        let running = repository::running(tx, actor.organization_id, members).await?;
        let running: Vec<_> = running.into_iter().filter(|row| Some(row.id) != without).collect();
        schedule.timers = running.iter().map(|row| (row.member_id, row.id)).collect();
        if overlap_allowed {
            return Ok(schedule);
        }
        let mut occupied: HashMap<Uuid, IntervalSet> = HashMap::new();
        for row in running {
            let time = Interval { start: row.started_at.to_utc(), end: None };
            occupied.entry(row.member_id).or_default().add(time, row.id);
        }
        for (member_id, hull) in hulls(&times) {
            let ended =
                repository::ended_within(tx, actor.organization_id, member_id, hull).await?;
            let of_member = occupied.entry(member_id).or_default();
            for (id, time) in ended.into_iter().filter(|(id, _)| Some(*id) != without) {
                of_member.add(time, id);
            }
        }
        schedule.occupied = Some(occupied);
        Ok(schedule)
    }

    /// Takes the time of an entry.
    fn reserve(&mut self, now: DateTime<Utc>, draft: &Draft) -> Result<()> {
        let Some(time) = interval(&draft.input) else { return Ok(()) };
        rules::ensure_not_in_future(&draft.input, now)?;
        self.ensure_free(draft.member_id, time)?;
        if time.end.is_none() {
            self.timers.insert(draft.member_id, draft.id);
        }
        if let Some(occupied) = &mut self.occupied {
            occupied.entry(draft.member_id).or_default().add(time, draft.id);
        }
        self.new.insert(draft.id, draft.index);
        Ok(())
    }

    /// Whether a time of a member is free.
    fn ensure_free(&self, member_id: Uuid, time: Interval) -> Result<()> {
        if time.end.is_none()
            && let Some(timer) = self.timers.get(&member_id)
        {
            return Err(self.refused(
                "timer_running",
                "another timer of the member is running",
                *timer,
            ));
        }
        match self
            .occupied
            .as_ref()
            .and_then(|occupied| occupied.get(&member_id)?.overlapping(time))
        {
            None => Ok(()),
            Some(other) => Err(self.refused(
                "overlap",
                "the entry overlaps another entry of the member",
                other,
            )),
        }
    }

    /// What is in the way: an entry that is there, or one of the same request, which nobody could look up.
    fn refused(&self, code: &'static str, detail: &'static str, other: Uuid) -> Error {
        match self.new.get(&other) {
            None => Error::conflict(code, detail, other),
            Some(index) => Error::invalid("/started_at", code, format!("{detail}: item {index}")),
        }
    }
}

/// For each member, the time from the earliest start to the latest end.
fn hulls(times: &[(Uuid, Interval)]) -> BTreeMap<Uuid, Interval> {
    let mut hulls: BTreeMap<Uuid, Interval> = BTreeMap::new();
    for (member_id, time) in times {
        let hull = hulls.entry(*member_id).or_insert(*time);
        hull.start = hull.start.min(time.start);
        hull.end = hull.end.zip(time.end).map(|(one, other)| one.max(other));
    }
    hulls
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

/// When an entry begins; one of which only the day is known, with its day.
pub(super) fn begins_at(
    settings: &Settings,
    input: &TimeEntryInput,
    segments: &[DaySegment],
) -> DateTime<Utc> {
    let day = segments.first().map(|segment| segment.day);
    let start_of_day = day.map(|day| settings.start_of(day));
    input.started_at.or(start_of_day).unwrap_or_default()
}

/// What the segments of an entry have of it, to be grouped by.
pub(super) struct SegmentOwner {
    organization_id: Uuid,
    time_entry_id: Uuid,
    member_id: Uuid,
    project_id: Option<Uuid>,
    task_id: Option<Uuid>,
    billable: bool,
}

impl SegmentOwner {
    pub(super) fn of(
        organization_id: Uuid,
        id: Uuid,
        member_id: Uuid,
        input: &TimeEntryInput,
    ) -> Self {
        Self {
            organization_id,
            time_entry_id: id,
            member_id,
            project_id: input.project_id,
            task_id: input.task_id,
            billable: input.billable,
        }
    }

    pub(super) fn segments(
        &self,
        cards: &WeekTimecards,
        segments: &[DaySegment],
    ) -> Result<Vec<time_entry_day::Model>> {
        let row = |segment: &DaySegment| {
            Ok(time_entry_day::Model {
                organization_id: self.organization_id,
                time_entry_id: self.time_entry_id,
                day: segment.day,
                timecard_id: cards.id((self.member_id, days::week_of(segment.day)))?,
                member_id: self.member_id,
                project_id: self.project_id,
                task_id: self.task_id,
                billable: self.billable,
                seconds: segment.seconds,
            })
        };
        segments.iter().map(row).collect()
    }
}

/// Writes the next version of an entry, and moves its segments. The days of one whose times stay as
/// they are stay too, whatever the time zone is by now.
pub(super) async fn update(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    row: &time_entry::Model,
    current: &TimeEntry,
    mut input: TimeEntryInput,
) -> Result<TimeEntry> {
    let organization_id = actor.organization_id;
    let member_id = member_of(&input)?;
    rules::may_record(actor, member_id)?;
    rules::ensure_not_restarted(current, &input)?;
    if input.started_at != current.started_at {
        rules::ensure_not_in_future(&input, tx.now())?;
    }
    settle_project(tx, actor, current, &mut input).await?;
    timecard::lock_members(tx, organization_id, [row.member_id, member_id]).await?;

    let before = repository::segments(tx, organization_id, row.id).await?;
    let layout = before.iter().map(|it| DaySegment { day: it.day, seconds: it.seconds }).collect();
    let (segments, begins_at) = if same_times(&current.input(), &input) {
        (layout, row.started_at.to_utc())
    } else {
        rules::ensure_takes_time(&input)?;
        let segments = days::of(&actor.settings, &input);
        let begins_at = begins_at(&actor.settings, &input, &segments);
        (segments, begins_at)
    };
    let after: Vec<Week> = weeks(member_id, &segments).collect();
    let touched = before.iter().map(|it| (it.member_id, days::week_of(it.day)));
    let touched: BTreeSet<Week> = touched.chain(after.iter().copied()).collect();
    let mut cards = WeekTimecards::read(tx, organization_id, &touched).await?;
    touched.into_iter().try_for_each(|week| cards.ensure_open(week))?;
    ensure_no_overlap(tx, actor, current, member_id, &input).await?;
    cards.insert_missing(tx, actor, after).await?;

    let mut next = repository::columns(&input, member_id, begins_at, &segments)?;
    // What steward itself changes, when somebody leaves, leaves who was the last to.
    if actor.member_id.is_some() {
        next.changed_by_member_id = Set(actor.member_id);
    }
    let changed = versioned::update(tx, actor, verb, row, next, TimeEntry::try_from).await?;
    let owner = SegmentOwner::of(organization_id, row.id, member_id, &input);
    let segments = owner.segments(&cards, &segments)?;
    if segments != before {
        let segments = repository::segment_rows(segments);
        children::replace(tx, organization_id, row.id, segments).await?;
    }
    if input.tags != current.tags {
        let tags = repository::tag_rows(organization_id, [(row.id, &input.tags[..])]);
        children::replace(tx, organization_id, row.id, tags).await?;
    }
    Ok(changed)
}

/// With the project of a task that it did not have before, where it names none.
async fn settle_project(
    tx: &Tx,
    actor: &Actor,
    current: &TimeEntry,
    input: &mut TimeEntryInput,
) -> Result<()> {
    let new_task = input.task_id.filter(|task| current.task_id != Some(*task));
    if let Some(task) = new_task {
        let projects = projects_of_tasks(tx, actor, BTreeSet::from([task])).await?;
        input.project_id = input.project_id.or_else(|| projects.get(&task).copied().flatten());
    }
    project::ensure_accepts_new(tx, actor.organization_id, current.project_id, input.project_id)
        .await
}

fn same_times(one: &TimeEntryInput, other: &TimeEntryInput) -> bool {
    let times = |it: &TimeEntryInput| (it.started_at, it.ended_at, it.day, it.minutes);
    times(one) == times(other) && one.breaks == other.breaks
}

/// Whether what an entry takes is free. What it had before it may keep, and one that only gets shorter,
/// as a timer that is stopped does, meets nothing new.
async fn ensure_no_overlap(
    tx: &Tx,
    actor: &Actor,
    current: &TimeEntry,
    member_id: Uuid,
    input: &TimeEntryInput,
) -> Result<()> {
    let Some(time) = interval(input) else { return Ok(()) };
    let had = interval(&current.input()).filter(|_| current.member_id == member_id);
    if had.is_some_and(|had| had.covers(time)) {
        return Ok(());
    }
    let schedule = Schedule::around(tx, actor, vec![(member_id, time)], Some(current.id)).await?;
    schedule.ensure_free(member_id, time)
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
