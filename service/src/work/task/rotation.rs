//! Whose turn it is: pure.
//!
//! Whoever has had the fewest turns is next, and whoever joins begins with as many as the one of the
//! others who has had the fewest: nobody's count differs from another's by more than one.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::ValidationError;

use crate::text::{at, refusal};

/// Number of turns that a member of a rotation has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TaskTurn)]
pub struct Turn {
    /// Identifier of the member.
    pub member_id: Uuid,
    /// Number of turns that the member has had.
    pub turns: i64,
}

/// The turns as they are stored.
pub(super) fn to_json(turns: &[Turn]) -> Option<Value> {
    let each = turns.iter();
    let each =
        each.map(|turn| serde_json::json!({ "member_id": turn.member_id, "turns": turn.turns }));
    (!turns.is_empty()).then(|| each.collect())
}

/// Refuses one who stands there twice.
pub fn distinct(members: &[Uuid]) -> Result<(), ValidationError> {
    let mut met = HashSet::new();
    match members.iter().position(|member| !met.insert(*member)) {
        None => Ok(()),
        Some(index) => Err(at(index, refusal("duplicate", "must be unique"))),
    }
}

/// The turns of these members. Who was not among them begins with the least count of those who were.
pub fn with_members(turns: &[Turn], members: &[Uuid]) -> Vec<Turn> {
    let count = |id: &Uuid| turns.iter().find(|turn| turn.member_id == *id).map(|turn| turn.turns);
    let least = members.iter().filter_map(count).min().unwrap_or_default();
    let turn = |id: &Uuid| Turn { member_id: *id, turns: count(id).unwrap_or(least) };
    members.iter().map(turn).collect()
}

/// Who is next: of those who are there, the first who has had the fewest turns.
pub fn next(turns: &[Turn], away: &HashSet<Uuid>) -> Option<Uuid> {
    let there = turns.iter().filter(|turn| !away.contains(&turn.member_id));
    there.min_by_key(|turn| turn.turns).map(|turn| turn.member_id)
}

/// Whether it may be this member's turn: somebody else who stands in, or one who has not had more turns
/// than another who is there. Where nobody is there, they go by all.
pub fn is_turn_of(turns: &[Turn], member: Uuid, away: &HashSet<Uuid>) -> bool {
    let count = turns.iter().find(|turn| turn.member_id == member).map(|turn| turn.turns);
    let there = turns.iter().filter(|turn| !away.contains(&turn.member_id));
    let least = there.map(|turn| turn.turns).min();
    let least = least.or_else(|| turns.iter().map(|turn| turn.turns).min());
    match (count, least) {
        (Some(count), Some(least)) => count <= least,
        _ => true,
    }
}

/// Counts a turn of a member, or takes it back. One who stood in has none.
pub fn count(turns: &mut [Turn], member: Option<Uuid>, by: i64) {
    for turn in turns.iter_mut().filter(|turn| Some(turn.member_id) == member) {
        turn.turns += by;
    }
}

/// The turns, of which those who are away do not fall behind: they have nothing to catch up with when they
/// come back.
pub fn carry_absent(turns: &[Turn], away: &HashSet<Uuid>) -> Vec<Turn> {
    let there = turns.iter().filter(|turn| !away.contains(&turn.member_id));
    let least = there.map(|turn| turn.turns).min().unwrap_or_default();
    let mut carried = turns.to_vec();
    for turn in carried.iter_mut().filter(|turn| away.contains(&turn.member_id)) {
        turn.turns = turn.turns.max(least);
    }
    carried
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: usize) -> Uuid {
        Uuid::from_u128(n as u128 + 1)
    }

    fn apart(turns: &[Turn]) -> i64 {
        let counts = || turns.iter().map(|turn| turn.turns);
        counts().max().unwrap_or_default() - counts().min().unwrap_or_default()
    }

    /// What can happen in a series, with numbers that choose whom it concerns.
    #[derive(Debug, Clone)]
    enum Step {
        Finish,
        Undo,
        Cancel,
        Assign(usize),
        Join(usize, usize),
        Leave(usize),
        Absent(usize),
        Back(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => Just(Step::Finish),
            2 => Just(Step::Undo),
            1 => Just(Step::Cancel),
            2 => (0..8_usize).prop_map(Step::Assign),
            2 => (0..8_usize, 0..8_usize).prop_map(|(who, at)| Step::Join(who, at)),
            1 => (0..8_usize).prop_map(Step::Leave),
            1 => (0..8_usize).prop_map(Step::Absent),
            1 => (0..8_usize).prop_map(Step::Back),
        ];
        prop::collection::vec(step, 1..120)
    }

    /// The one that is open, and the ones that were closed: as the commands do it.
    #[derive(Debug, Clone)]
    struct Series {
        turns: Vec<Turn>,
        assignee: Option<Uuid>,
        before: Vec<(Vec<Turn>, Option<Uuid>, bool)>,
        away: HashSet<Uuid>,
    }

    impl Series {
        fn close(&mut self, done: bool) {
            let mut closed = self.turns.clone();
            if done {
                count(&mut closed, self.assignee, 1);
            }
            self.turns = carry_absent(&closed, &self.away);
            self.before.push((closed, self.assignee, done));
            self.assignee = next(&self.turns, &self.away);
        }

        fn undo(&mut self) {
            let Some((mut turns, assignee, done)) = self.before.pop() else { return };
            if done {
                count(&mut turns, assignee, -1);
            }
            (self.turns, self.assignee) = (turns, assignee);
        }

        fn write(&mut self, members: &[Uuid]) {
            self.turns = with_members(&self.turns, members);
            // What has been changed is not undone any more.
            self.before.clear();
            if self.assignee.is_none_or(|id| !members.contains(&id)) {
                self.turns = carry_absent(&self.turns, &self.away);
                self.assignee = next(&self.turns, &self.away);
            }
        }

        fn make(&mut self, step: &Step) {
            let mut members: Vec<_> = self.turns.iter().map(|turn| turn.member_id).collect();
            match *step {
                Step::Finish => self.close(true),
                Step::Undo => self.undo(),
                Step::Cancel => self.close(false),
                Step::Assign(n) => {
                    let turns = carry_absent(&self.turns, &self.away);
                    if is_turn_of(&turns, id(n), &self.away) {
                        self.turns = turns;
                        self.assignee = Some(id(n));
                    }
                }
                Step::Join(n, at) if !members.contains(&id(n)) && !self.away.contains(&id(n)) => {
                    members.insert(at.min(members.len()), id(n));
                    self.write(&members);
                }
                Step::Leave(n) if members.len() > 1 => {
                    members.retain(|member| *member != id(n));
                    self.write(&members);
                }
                Step::Absent(n) if self.away.len() < 3 => _ = self.away.insert(id(n)),
                Step::Back(n) => _ = self.away.remove(&id(n)),
                Step::Join(..) | Step::Leave(_) | Step::Absent(_) => {}
            }
        }
    }

    proptest! {
        #[test]
        fn nobody_is_more_than_a_turn_ahead(members in 1..6_usize, steps in steps()) {
            let members: Vec<_> = (0..members).map(id).collect();
            let turns = with_members(&[], &members);
            let assignee = next(&turns, &HashSet::new());
            let mut series =
                Series { turns, assignee, before: Vec::new(), away: HashSet::new() };
            for step in &steps {
                series.make(step);
                prop_assert!(apart(&series.turns) <= 1, "after {step:?}: {series:?}");
                for (turns, ..) in &series.before {
                    prop_assert!(apart(turns) <= 1, "after {step:?}: {series:?}");
                }
            }
        }

        #[test]
        fn all_have_their_turn_in_order(members in 1..6_usize, rounds in 1..5_usize) {
            let members: Vec<_> = (0..members).map(id).collect();
            let mut turns = with_members(&[], &members);
            let none = HashSet::new();
            for round in 0..rounds {
                for member in &members {
                    prop_assert_eq!(next(&turns, &none), Some(*member), "round {}", round);
                    count(&mut turns, Some(*member), 1);
                }
            }
        }
    }

    #[test]
    fn who_is_away_is_passed_over_and_has_nothing_to_catch_up_with() {
        let away = HashSet::from([id(0)]);
        let mut turns = with_members(&[], &[id(0), id(1), id(2)]);
        for _ in 0..9 {
            let whose = next(&turns, &away);
            assert_ne!(whose, Some(id(0)));
            count(&mut turns, whose, 1);
            turns = carry_absent(&turns, &away);
        }
        assert!(apart(&turns) <= 1, "{turns:?}");
        assert_eq!(next(&turns, &HashSet::from([id(0), id(1), id(2)])), None);
    }
}
