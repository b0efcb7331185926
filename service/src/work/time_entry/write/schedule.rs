//! What time of members is taken, by entries that are there and by those of the same request.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::draft::Draft;
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::Tx,
    work::time_entry::{
        TimeEntryInput,
        interval_set::{Interval, IntervalSet},
        repository, rules,
    },
};

/// The time that an entry takes; none where only the day is known.
pub(super) fn interval(input: &TimeEntryInput) -> Option<Interval> {
    input.started_at.map(|start| Interval { start, end: input.ended_at })
}

/// Whose timer runs, and which of their time is taken.
#[derive(Default)]
pub(super) struct Schedule {
    timers: HashMap<Uuid, Uuid>,
    /// None where time may overlap.
    occupied: Option<HashMap<Uuid, IntervalSet>>,
    /// The entries of the same request.
    new: HashMap<Uuid, usize>,
}

impl Schedule {
    pub(super) async fn of(tx: &Tx, actor: &Actor, drafts: &[Draft]) -> Result<Self> {
        let times =
            drafts.iter().filter_map(|draft| Some((draft.member_id, interval(&draft.input)?)));
        Self::around(tx, actor, times.collect(), None).await
    }

    /// What is there around these times, without one entry that is about to get another.
    pub(super) async fn around(
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
    pub(super) fn reserve(&mut self, now: DateTime<Utc>, draft: &Draft) -> Result<()> {
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
    pub(super) fn ensure_free(&self, member_id: Uuid, time: Interval) -> Result<()> {
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
