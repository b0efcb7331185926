//! How a saga goes on: pure.

use chrono::{DateTime, TimeDelta, Utc};
use entity::saga;

use super::{Kind, State, Step, StepState};
use crate::{
    backoff::Backoff,
    error::{Error, Result},
    store::stored,
};

/// How long until a step is tried again, without jitter.
pub(super) const BACKOFF: Backoff =
    Backoff { initial: TimeDelta::seconds(1), max: TimeDelta::seconds(300) };

/// How far a saga is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// Which step it is at.
    pub step: usize,
    /// Whether it goes backwards.
    pub undoing: bool,
    /// When it is taken up again.
    pub due_at: Option<DateTime<Utc>>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Why it is undone, or cannot go on.
    pub reason: Option<String>,
    /// The step after which nothing is undone any more.
    pub pivot: usize,
}

impl Progress {
    /// That of a new saga: the first step is done by whoever starts it.
    pub fn start(
        names: impl IntoIterator<Item = &'static str>,
        pivot: usize,
        now: DateTime<Utc>,
    ) -> Self {
        let step = |name: &str| Step {
            name: name.to_owned(),
            state: StepState::Pending,
            attempts: 0,
            partly: false,
            started_at: None,
            finished_at: None,
            error: None,
        };
        let steps = names.into_iter().map(step).collect();
        let mut progress = Self {
            state: State::Running,
            step: 0,
            undoing: false,
            due_at: Some(now),
            steps,
            reason: None,
            pivot,
        };
        progress.tried(now);
        progress.done(now);
        progress
    }

    /// That of a saga of this kind.
    ///
    /// # Errors
    /// [`Error::Internal`] where this version does not know the saga's state or its steps.
    pub fn of(row: &saga::Model, kind: &Kind) -> Result<Self> {
        use saga::Column;
        let step = usize::try_from(row.step);
        let step = step.map_err(|_| Error::Internal(format!("no step of a saga: {}", row.step)))?;
        Ok(Self {
            state: stored::word(Column::State, row.id, &row.state)?,
            step,
            undoing: row.undoing,
            due_at: row.due_at.map(|at| at.to_utc()),
            steps: stored::json(Column::Steps, row.id, row.steps.clone())?,
            reason: row.reason.clone(),
            pivot: kind.pivot,
        })
    }

    /// Whether what cannot be undone is done.
    pub fn is_past_pivot(&self) -> bool {
        self.steps.get(self.pivot).is_some_and(|step| step.state == StepState::Done)
    }

    /// Whether the step that it is at was never tried before.
    pub fn is_first_attempt(&self) -> bool {
        self.steps.get(self.step).is_some_and(|step| step.attempts <= 1)
    }

    /// Whether the step that it is at is being done in parts, the last of which worked out.
    pub fn is_midway(&self) -> bool {
        self.steps.get(self.step).is_some_and(|step| {
            let begun = self.undoing || (step.partly && step.state == StepState::Pending);
            begun && step.attempts == 0 && step.error.is_none()
        })
    }

    /// Whether nothing more happens to it.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Completed | State::Compensated)
    }

    /// Whether a call is under way, or the process that made it is gone.
    pub fn is_at_work(&self) -> bool {
        self.steps.get(self.step).is_some_and(|step| step.state == StepState::AtWork)
    }

    fn current(&mut self) -> Option<&mut Step> {
        self.steps.get_mut(self.step)
    }

    /// The step it is at is being tried.
    pub fn tried(&mut self, now: DateTime<Utc>) {
        if let Some(step) = self.current() {
            step.attempts += 1;
            step.started_at.get_or_insert(now);
        }
    }

    /// A call is under way, whose answer is waited for until then: before that, nobody else takes the
    /// saga up.
    pub fn called(&mut self, now: DateTime<Utc>, until: DateTime<Utc>) {
        self.tried(now);
        if let Some(step) = self.current() {
            step.state = StepState::AtWork;
        }
        self.due_at = Some(until);
    }

    /// The step is done: on to the next that is not.
    pub fn done(&mut self, now: DateTime<Utc>) {
        self.finish(StepState::Done, now);
        while self.steps.get(self.step).is_some_and(|step| step.state == StepState::Done) {
            self.step += 1;
        }
        self.due_at = Some(now);
        if self.step == self.steps.len() {
            self.end(State::Completed);
        }
    }

    /// A part of the step is done or undone: on with the rest at once, under a timeout of its own.
    pub fn continue_later(&mut self, now: DateTime<Utc>) {
        let undoing = self.undoing;
        if let Some(step) = self.current() {
            if !undoing {
                step.state = StepState::Pending;
                step.partly = true;
            }
            step.attempts = 0;
            step.started_at = Some(now);
            step.error = None;
        }
        self.due_at = Some(now);
    }

    /// The step is refused: back over all that was done, of this step too, unless what cannot be undone was.
    pub fn refused(&mut self, now: DateTime<Utc>, why: String, timeout: TimeDelta) {
        if self.is_past_pivot() {
            return self.failed(now, why, timeout);
        }
        if let Some(step) = self.current() {
            step.state = StepState::Refused;
            step.error = Some(why.clone());
        }
        self.reason = Some(why);
        self.undoing = true;
        self.state = State::Compensating;
        match self.steps.get(self.step) {
            Some(step) if step.partly => self.undo(self.step, now),
            _ => self.back(now),
        }
    }

    /// What the step had done is undone: on to the one before.
    pub fn undone(&mut self, now: DateTime<Utc>) {
        self.finish(StepState::Undone, now);
        self.back(now);
    }

    fn back(&mut self, now: DateTime<Utc>) {
        match self.steps[..self.step].iter().rposition(|step| step.state == StepState::Done) {
            Some(before) => self.undo(before, now),
            None => self.end(State::Compensated),
        }
    }

    /// The step of that number is to be undone, under a timeout of its own.
    fn undo(&mut self, number: usize, now: DateTime<Utc>) {
        self.step = number;
        self.due_at = Some(now);
        self.steps[number].started_at = Some(now);
        self.steps[number].attempts = 0;
    }

    /// The step did not work out: later again, or not without somebody's decision.
    pub fn failed(&mut self, now: DateTime<Utc>, why: String, timeout: TimeDelta) {
        let undoing = self.undoing;
        let Some(step) = self.current() else { return };
        if !undoing {
            step.state = StepState::Waiting;
        }
        step.error = Some(why.clone());
        let started = step.started_at.unwrap_or(now);
        let delay = BACKOFF.longest(step.attempts);
        if now - started < timeout {
            self.due_at = Some(now + delay);
        } else {
            self.reason = Some(why);
            self.end(State::Failed);
        }
    }

    fn finish(&mut self, state: StepState, now: DateTime<Utc>) {
        if let Some(step) = self.current() {
            step.state = state;
            step.finished_at = Some(now);
            step.error = None;
        }
    }

    fn end(&mut self, state: State) {
        self.state = state;
        self.due_at = None;
    }

    /// Whether somebody may decide about it now.
    ///
    /// # Errors
    /// [`Error::State`] where it has ended, or a call is under way.
    fn may_be_decided(&self, now: DateTime<Utc>) -> Result<()> {
        if self.has_ended() {
            return Err(Error::state("saga_ended", "the saga has ended"));
        }
        if self.is_at_work() && self.due_at.is_some_and(|until| until > now) {
            return Err(Error::state("saga_at_work", "a call of the saga is in progress"));
        }
        Ok(())
    }

    /// Tries the step again at once.
    ///
    /// # Errors
    /// [`Error::State`] where nobody may decide now.
    pub fn retry(&mut self, now: DateTime<Utc>) -> Result<()> {
        self.may_be_decided(now)?;
        self.state = if self.undoing { State::Compensating } else { State::Running };
        self.due_at = Some(now);
        if !self.undoing {
            self.reason = None;
        }
        if let Some(step) = self.current() {
            step.started_at = Some(now);
        }
        Ok(())
    }

    /// Undoes all that was done: somebody knows that what cannot be undone was not done.
    ///
    /// # Errors
    /// [`Error::State`] where it was, or nobody may decide now.
    pub fn compensate(&mut self, now: DateTime<Utc>, why: String) -> Result<()> {
        self.may_be_decided(now)?;
        if self.undoing {
            return Err(Error::state("already_compensating", "the saga is being compensated"));
        }
        if self.is_past_pivot() {
            return Err(Error::state(
                "already_paid",
                "the payout is paid and cannot be compensated",
            ));
        }
        self.refused(now, why, TimeDelta::zero());
        Ok(())
    }

    /// Takes what cannot be undone for done: somebody has done it by hand.
    ///
    /// # Errors
    /// [`Error::State`] where it is done, is being undone, or nobody may decide now.
    pub fn mark_done(&mut self, now: DateTime<Utc>) -> Result<()> {
        self.may_be_decided(now)?;
        if self.undoing {
            return Err(Error::state("already_compensating", "the saga is being compensated"));
        }
        if self.is_past_pivot() {
            return Err(Error::state("already_paid", "the payout is already paid"));
        }
        self.retry(now)?;
        if self.step == self.pivot {
            self.done(now);
        } else if let Some(step) = self.steps.get_mut(self.pivot) {
            step.state = StepState::Done;
            step.finished_at = Some(now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMEOUT: TimeDelta = TimeDelta::hours(1);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn new() -> Progress {
        Progress::start(["hold", "reserve", "payout", "settle"], 2, at(0))
    }

    /// One of the things that can happen to a saga.
    fn happen(progress: &mut Progress, what: u8, now: DateTime<Utc>) {
        let alive = progress.due_at.is_some();
        match what {
            0 => drop(progress.retry(now)),
            1 => drop(progress.compensate(now, "no".into())),
            2 => drop(progress.mark_done(now)),
            _ if !alive => {}
            3 | 4 if progress.undoing => progress.undone(now),
            3 => progress.refused(now, "refused".into(), TIMEOUT),
            4 => progress.done(now),
            5 if now.timestamp() / 600 % 2 == 0 => progress.continue_later(now),
            5 if !progress.undoing => progress.called(now, now + TimeDelta::seconds(5)),
            _ => progress.failed(now, "away".into(), TIMEOUT),
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_all_is_done_or_all_is_undone(happenings in prop::collection::vec(0..7_u8, 0..60)) {
            let mut progress = new();
            for (second, what) in (1..).zip(happenings) {
                happen(&mut progress, what, at(second * 600));
                let states: Vec<_> = progress.steps.iter().map(|step| step.state).collect();
                match progress.state {
                    State::Completed => {
                        prop_assert!(states.iter().all(|state| *state == StepState::Done));
                    }
                    State::Compensated => {
                        prop_assert!(states.iter().all(|state| *state != StepState::Done));
                        prop_assert!(progress.reason.is_some());
                    }
                    State::Running => prop_assert!(progress.due_at.is_some() && !progress.undoing),
                    State::Compensating => {
                        prop_assert!(progress.due_at.is_some() && progress.undoing);
                        prop_assert!(states[2] != StepState::Done, "what was paid is not undone");
                    }
                    State::Failed => prop_assert_eq!(progress.due_at, None),
                }
            }
        }
    }

    #[test]
    fn what_a_refused_step_has_done_in_part_is_undone_first() {
        let mut progress = new();
        progress.continue_later(at(1));
        progress.refused(at(2), "no".into(), TIMEOUT);
        assert_eq!((progress.step, progress.state), (1, State::Compensating));
        progress.continue_later(at(3));
        assert_eq!((progress.step, progress.due_at), (1, Some(at(3))));
        progress.undone(at(4));
        assert_eq!((progress.step, progress.steps[1].state), (0, StepState::Undone));
        progress.undone(at(5));
        assert_eq!(progress.state, State::Compensated);
    }

    #[test]
    fn a_step_is_tried_again_later_and_later_and_in_the_end_somebody_is_asked() {
        let mut progress = new();
        let mut now = at(0);
        let mut pauses = Vec::new();
        while let Some(due_at) = progress.due_at {
            pauses.push((due_at - now).num_seconds());
            now = due_at;
            progress.tried(now);
            progress.failed(now, "away".into(), TIMEOUT);
        }
        assert_eq!(pauses[..5], [0, 1, 2, 4, 8]);
        assert_eq!(pauses.iter().max(), Some(&BACKOFF.max.num_seconds()));
        assert_eq!(progress.state, State::Failed);
        progress.retry(now).expect("somebody may try it again");
        assert_eq!((progress.state, progress.due_at), (State::Running, Some(now)));
    }
}
