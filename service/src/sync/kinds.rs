//! What can be synced: every kind of resource that clients write, a line each.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use utoipa::openapi::{Object, ObjectBuilder, Type};

use super::{
    Edit, Outcome,
    edits::{amend_daily_report, change_only, move_daily_report, move_expense, write},
};
use crate::{
    account::Account,
    actor::Actor,
    budget::Budget,
    category::Category,
    daily_report::{self, DailyReport},
    error::{Error, Result},
    expense::{Expense, rules::Move},
    incident::Incident,
    member::Member,
    organization::Organization,
    project::Project,
    rate::Rate,
    resource::{Changeable, Writable},
    role::Permission,
    rule::Rule,
    store::Tx,
    task::Task,
    time_entry::TimeEntry,
};

/// Every kind.
const KINDS: &[Kind] = &[
    Kind::writable::<Account>(),
    Kind::writable::<Budget>(),
    Kind::writable::<Category>(),
    Kind::writable::<DailyReport>().with(DAILY_REPORT_MOVES),
    Kind::writable::<Expense>().with(EXPENSE_MOVES),
    Kind::writable::<Incident>(),
    Kind::writable::<Member>(),
    Kind::changeable::<Organization>(),
    Kind::writable::<Project>(),
    Kind::writable::<Rate>(),
    Kind::writable::<Rule>(),
    Kind::writable::<Task>(),
    Kind::writable::<TimeEntry>(),
];

const DAILY_REPORT_MOVES: &[Act] = &[
    Act {
        op: "submit",
        takes: Permission::RecordDailyReports,
        make: |tx, actor, edit| {
            Box::pin(move_daily_report(tx, actor, edit, daily_report::rules::Move::Submit))
        },
    },
    Act {
        op: "approve",
        takes: Permission::DecideDailyReports,
        make: |tx, actor, edit| {
            Box::pin(move_daily_report(tx, actor, edit, daily_report::rules::Move::Approve))
        },
    },
    Act {
        op: "amend",
        takes: Permission::RecordDailyReports,
        make: |tx, actor, edit| Box::pin(amend_daily_report(tx, actor, edit)),
    },
];

const EXPENSE_MOVES: &[Act] = &[
    Act {
        op: "submit",
        takes: Permission::RecordExpenses,
        make: |tx, actor, edit| Box::pin(move_expense(tx, actor, edit, Move::Submit)),
    },
    Act {
        op: "approve",
        takes: Permission::DecideExpenses,
        make: |tx, actor, edit| Box::pin(move_expense(tx, actor, edit, Move::Approve)),
    },
    Act {
        op: "reject",
        takes: Permission::DecideExpenses,
        make: |tx, actor, edit| Box::pin(move_expense(tx, actor, edit, Move::Reject)),
    },
    Act {
        op: "reimburse",
        takes: Permission::DecideExpenses,
        make: |tx, actor, edit| Box::pin(move_expense(tx, actor, edit, Move::Reimburse)),
    },
];

type Make = for<'a> fn(&'a Tx, &'a Actor, &'a Edit) -> BoxFuture<'a, Result<Outcome>>;

/// A kind of resource that clients write.
struct Kind {
    name: &'static str,
    write: Permission,
    ops: &'static [&'static str],
    make: Make,
    acts: &'static [Act],
}

/// What else is done with a kind: a transition.
struct Act {
    op: &'static str,
    takes: Permission,
    make: Make,
}

impl Kind {
    const fn writable<R: Writable>() -> Self {
        Self {
            name: R::ENTITY,
            write: R::WRITE,
            ops: &["create", "change", "delete"],
            make: |tx, actor, edit| Box::pin(write::<R>(tx, actor, edit)),
            acts: &[],
        }
    }

    const fn changeable<R: Changeable>() -> Self {
        Self {
            name: R::ENTITY,
            write: R::WRITE,
            ops: &["change"],
            make: |tx, actor, edit| Box::pin(change_only::<R>(tx, actor, edit)),
            acts: &[],
        }
    }

    const fn with(self, acts: &'static [Act]) -> Self {
        Self { acts, ..self }
    }

    fn ops(&self) -> impl Iterator<Item = &'static str> {
        self.ops.iter().copied().chain(self.acts.iter().map(|act| act.op))
    }
}

/// Makes a change.
///
/// # Errors
/// Why it was refused, where that is no conflict.
pub(super) async fn make(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    let unknown = |pointer, known: Vec<&str>| {
        Error::invalid(pointer, "unknown", format!("must be one of {}", known.join(", ")))
    };
    let kind = KINDS.iter().find(|kind| kind.name == edit.entity);
    let kind =
        kind.ok_or_else(|| unknown("/entity", KINDS.iter().map(|kind| kind.name).collect()))?;
    let act = kind.acts.iter().find(|act| act.op == edit.op);
    if act.is_none() && !kind.ops.contains(&&*edit.op) {
        return Err(unknown("/op", kind.ops().collect()));
    }
    let (takes, make) = act.map_or((kind.write, kind.make), |act| (act.takes, act.make));
    actor.require(takes)?;
    make(tx, actor, edit).await
}

/// The schema of [`Edit::entity`].
pub(super) fn entity_schema() -> Object {
    let names = KINDS.iter().map(|kind| kind.name);
    words("Type of the resource.", names)
}

/// The schema of [`Edit::op`].
pub(super) fn op_schema() -> Object {
    let mut ops: Vec<_> = KINDS.iter().flat_map(Kind::ops).collect();
    let mut met = HashSet::new();
    ops.retain(|op| met.insert(*op));
    words("Operation to apply. Not every type of resource supports every operation.", ops)
}

fn words(description: &str, words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .description(Some(description))
        .build()
}
