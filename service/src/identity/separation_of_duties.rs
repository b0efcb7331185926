//! Who decides what takes a decision: an expense, a timecard, a daily report. Nobody what is their
//! own, and nobody what they have had a hand in: whoever has recorded, submitted or last changed it
//! has said already what they think of it. Where no approval is required, nobody has to keep to
//! this.

use uuid::Uuid;

use crate::{
    actor::Actor,
    error::{Error, Result},
    identity::member,
    role::Permission,
    store::{Tx, stored::StoredWord},
};

/// What somebody has to do with what is to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Involvement {
    /// It is theirs: they paid, or worked.
    Owned,
    /// They recorded it, or some of it.
    Recorded,
    /// They were the last to change it, or some of it.
    Changed,
    /// They submitted it.
    Submitted,
}

/// Something that takes a decision.
#[derive(Debug, Clone)]
pub(crate) struct SeparationOfDuties<'a> {
    /// What it is, in errors.
    pub(crate) noun: &'static str,
    /// The code of the refusal.
    pub(crate) code: &'static str,
    /// What it takes to decide.
    pub(crate) permission: Permission,
    /// Who has had which part in it, as far as it is known.
    pub(crate) involved: &'a [(Involvement, Option<Uuid>)],
}

impl SeparationOfDuties<'_> {
    /// Refuses an actor who has had a part in it, in person or by a key.
    ///
    /// # Errors
    /// [`Error::Forbidden`], which says why, and what to do where there is nobody who could decide
    /// instead.
    pub(crate) async fn check(&self, tx: &Tx, actor: &Actor) -> Result<()> {
        let Some((me, involvement)) = self.involvement_of(actor) else { return Ok(()) };
        let involved = self.involved.iter().filter_map(|(_, id)| *id).chain([me]);
        let (organization_id, permission) = (actor.organization_id, self.permission);
        let others =
            member::repository::any_other_who_may(tx, organization_id, permission, involved);
        let detail = self.refusal(involvement, others.await?);
        Err(Error::forbidden(self.code, detail))
    }

    /// The part that an actor has had in it, where that keeps them from deciding.
    fn involvement_of(&self, actor: &Actor) -> Option<(Uuid, Involvement)> {
        let me = actor.member_id.filter(|_| actor.settings.approval_required)?;
        self.involved
            .iter()
            .find(|(_, id)| *id == Some(me))
            .map(|(involvement, _)| (me, *involvement))
    }

    fn refusal(&self, involvement: Involvement, others: bool) -> String {
        let text = format!("members cannot decide {}", self.describe(involvement));
        if others {
            return text;
        }
        let least = self.permission.least_role().as_str();
        format!(
            "{text}, and no other member can: add a member with the role {least} or higher, or set \
             approval_required to false"
        )
    }

    fn describe(&self, involvement: Involvement) -> String {
        let noun = self.noun;
        match involvement {
            Involvement::Owned => format!("their own {noun}s"),
            Involvement::Recorded => format!("{noun}s that they recorded"),
            Involvement::Changed => format!("{noun}s that they were the last to change"),
            Involvement::Submitted => format!("{noun}s that they submitted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_which_part_it_was_and_what_helps_where_nobody_else_is() {
        let duties = |noun| SeparationOfDuties {
            noun,
            code: "own_expense",
            permission: Permission::DecideExpenses,
            involved: &[],
        };
        let of = |involvement, others| duties("expense").refusal(involvement, others);
        assert_eq!(of(Involvement::Owned, true), "members cannot decide their own expenses");
        assert_eq!(
            of(Involvement::Recorded, true),
            "members cannot decide expenses that they recorded"
        );
        let alone = of(Involvement::Submitted, false);
        assert!(
            alone.starts_with("members cannot decide expenses that they submitted, and no other")
        );
        assert!(alone.contains("manager or higher") && alone.contains("approval_required"));
    }
}
