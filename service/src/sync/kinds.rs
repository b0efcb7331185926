//! What can be synced: the resources of the catalogue that clients write, and what else is done with them.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use utoipa::openapi::{Object, ObjectBuilder, Type};

use super::{
    Edit, Outcome,
    edits::{self, amend_daily_report, change_only, write},
};
use crate::{
    actor::Actor,
    catalogue::resources,
    error::{Error, Result},
    money::expense::Expense,
    resource::{Changeable, Resource, Transition, Transitions, Writable},
    role::Permission,
    store::Tx,
    work::daily_report::DailyReport,
};

macro_rules! kinds {
    ($($($segment:ident)::+: $offline:ident),* $(,)?) => {
        const KINDS: &[Option<Kind>] = &[$(Kind::$offline::<crate::$($segment)::+>()),*];
    };
}
resources!(kinds);

/// Every kind.
fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().flatten()
}

/// What is done with a kind besides writing it.
fn operations(entity: &str) -> Vec<Operation> {
    match entity {
        DailyReport::ENTITY => daily_report_operations(),
        Expense::ENTITY => transitions::<Expense>(),
        _ => Vec::new(),
    }
}

/// The transitions of a kind.
fn transitions<R: Changeable + Transitions>() -> Vec<Operation> {
    let operation = |transition: &R::Transition| Operation {
        op: transition.name(),
        permission: transition.permission(),
        apply: |tx, actor, edit| Box::pin(edits::transition::<R>(tx, actor, edit)),
    };
    R::Transition::ALL.iter().map(operation).collect()
}

fn daily_report_operations() -> Vec<Operation> {
    let amend = Operation {
        op: "amend",
        permission: Permission::RecordDailyReports,
        apply: |tx, actor, edit| Box::pin(amend_daily_report(tx, actor, edit)),
    };
    let mut operations = transitions::<DailyReport>();
    operations.push(amend);
    operations
}

type Apply = for<'a> fn(&'a Tx, &'a Actor, &'a Edit) -> BoxFuture<'a, Result<Outcome>>;

/// A kind of resource that clients write.
struct Kind {
    name: &'static str,
    permission: Permission,
    write_ops: &'static [&'static str],
    apply: Apply,
}

/// What else is done with a kind: a transition, say.
struct Operation {
    op: &'static str,
    permission: Permission,
    apply: Apply,
}

impl Kind {
    const fn writable<R: Writable>() -> Option<Self> {
        Some(Self {
            name: R::ENTITY,
            permission: R::WRITE,
            write_ops: &["create", "update", "delete"],
            apply: |tx, actor, edit| Box::pin(write::<R>(tx, actor, edit)),
        })
    }

    const fn changeable<R: Changeable>() -> Option<Self> {
        Some(Self {
            name: R::ENTITY,
            permission: R::WRITE,
            write_ops: &["update"],
            apply: |tx, actor, edit| Box::pin(change_only::<R>(tx, actor, edit)),
        })
    }

    #[expect(
        clippy::extra_unused_type_parameters,
        reason = "called as the others are, for any resource"
    )]
    const fn online<R: Resource>() -> Option<Self> {
        None
    }

    fn ops(&self) -> impl Iterator<Item = &'static str> {
        let operations = operations(self.name).into_iter().map(|operation| operation.op);
        self.write_ops.iter().copied().chain(operations)
    }
}

/// Applies a change.
///
/// # Errors
/// Why it was refused, where that is no conflict.
pub(super) async fn apply(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    let unknown = |pointer, known: Vec<&str>| {
        Error::invalid(pointer, "unknown", format!("must be one of {}", known.join(", ")))
    };
    let kind = kinds().find(|kind| kind.name == edit.entity);
    let kind = kind.ok_or_else(|| unknown("/entity", kinds().map(|kind| kind.name).collect()))?;
    let operation = operations(kind.name).into_iter().find(|operation| operation.op == edit.op);
    if operation.is_none() && !kind.write_ops.contains(&&*edit.op) {
        return Err(unknown("/op", kind.ops().collect()));
    }
    let (permission, apply) =
        operation.map_or((kind.permission, kind.apply), |it| (it.permission, it.apply));
    actor.require(permission)?;
    apply(tx, actor, edit).await
}

/// The schema of [`Edit::entity`].
pub(super) fn entity_schema() -> Object {
    words("Type of the resource.", kinds().map(|kind| kind.name))
}

/// The schema of [`Edit::op`].
pub(super) fn op_schema() -> Object {
    let mut ops: Vec<_> = kinds().flat_map(Kind::ops).collect();
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
