//! Who decides what takes a decision: an expense, a timecard, a daily report. Nobody what is their own, and nobody what
//! they have had a hand in: whoever has recorded, submitted or last changed it has said already what they think of it.
//! Where no approval is required, nobody has to keep to this.

use uuid::Uuid;

use crate::{
    actor::Actor,
    error::{Error, Result},
    member,
    role::Permission,
    store::Tx,
};

/// What somebody has to do with what is to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It is theirs: they paid, or worked.
    Whose,
    /// They recorded it, or some of it.
    Recorded,
    /// They were the last to change it, or some of it.
    Changed,
    /// They submitted it.
    Submitted,
}

/// Something that takes a decision.
#[derive(Debug, Clone)]
pub(crate) struct Decided<'a> {
    /// What it is, in errors.
    pub(crate) noun: &'static str,
    /// The code of the refusal.
    pub(crate) code: &'static str,
    /// What it takes to decide.
    pub(crate) takes: Permission,
    /// Who has had which part in it, as far as it is known.
    pub(crate) parts: &'a [(Part, Option<Uuid>)],
}

impl Decided<'_> {
    /// Refuses an actor who has had a part in it, in person or by a key.
    ///
    /// # Errors
    /// [`Error::Forbidden`], which says why, and what to do where there is nobody who could decide instead.
    pub(crate) async fn by_another(&self, tx: &Tx, actor: &Actor) -> Result<()> {
        let Some((me, part)) = self.part_of(actor) else { return Ok(()) };
        let involved = self.parts.iter().filter_map(|(_, id)| *id).chain([me]);
        let (organization_id, takes) = (actor.organization_id, self.takes);
        let others = member::repository::any_other_who_may(tx, organization_id, takes, involved);
        let detail = self.refusal(part, others.await?);
        Err(Error::forbidden(self.code, detail))
    }

    /// The part that an actor has had in it, where that keeps them from deciding.
    fn part_of(&self, actor: &Actor) -> Option<(Uuid, Part)> {
        let me = actor.member_id.filter(|_| actor.settings.approval_required)?;
        self.parts.iter().find(|(_, id)| *id == Some(me)).map(|(part, _)| (me, *part))
    }

    fn refusal(&self, part: Part, others: bool) -> String {
        let told = format!("nobody decides {}", self.told(part));
        if others {
            return told;
        }
        let least = self.takes.least_role().as_str();
        format!(
            "{told}, and nobody else is here who could: let somebody in who is at least {least}, \
             or let the organization do without approval (approval_required)"
        )
    }

    fn told(&self, part: Part) -> String {
        let noun = self.noun;
        match part {
            Part::Whose => format!("their own {noun}"),
            Part::Recorded => format!("the {noun} that they have recorded"),
            Part::Changed => format!("the {noun} that they were the last to change"),
            Part::Submitted => format!("the {noun} that they have submitted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_which_part_it_was_and_what_helps_where_nobody_else_is() {
        let decided = |noun| Decided {
            noun,
            code: "own_expense",
            takes: Permission::DecideExpenses,
            parts: &[],
        };
        let of = |part, others| decided("expense").refusal(part, others);
        assert_eq!(of(Part::Whose, true), "nobody decides their own expense");
        assert_eq!(of(Part::Recorded, true), "nobody decides the expense that they have recorded");
        let alone = of(Part::Submitted, false);
        assert!(
            alone.starts_with("nobody decides the expense that they have submitted, and nobody")
        );
        assert!(alone.contains("at least manager") && alone.contains("approval_required"));
    }
}
