//! What can be synced: every kind of resource that clients write, a line each.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Edit, Outcome, repository};
use crate::{
    actor::Actor,
    budget::Budget,
    category::Category,
    error::{Error, Result, Violation},
    expense::Expense,
    input::{Change, Create, FromBody, read},
    member::Member,
    organization::Organization,
    resource::{Changeable, Writable, explain_change},
    role::Permission,
    store::{Tx, versioned::Expected},
};

/// Every kind.
const KINDS: &[Kind] = &[
    Kind::writable::<Budget>(),
    Kind::writable::<Category>(),
    Kind::writable::<Expense>(),
    Kind::writable::<Member>(),
    Kind::changeable::<Organization>(),
];

/// A kind of resource that clients write.
pub(super) struct Kind {
    name: &'static str,
    write: Permission,
    make: for<'a> fn(&'a Tx, &'a Actor, &'a Edit) -> BoxFuture<'a, Result<Outcome>>,
}

impl Kind {
    const fn writable<R: Writable>() -> Self {
        Self {
            name: R::ENTITY,
            write: R::WRITE,
            make: |tx, actor, edit| Box::pin(write::<R>(tx, actor, edit)),
        }
    }

    const fn changeable<R: Changeable>() -> Self {
        Self {
            name: R::ENTITY,
            write: R::WRITE,
            make: |tx, actor, edit| Box::pin(change_only::<R>(tx, actor, edit)),
        }
    }

    /// Makes a change.
    ///
    /// # Errors
    /// Why it was refused, where that is no conflict.
    pub(super) async fn make(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
        let kind = KINDS.iter().find(|kind| kind.name == edit.entity).ok_or_else(|| {
            let known: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            Error::invalid("/entity", "unknown", format!("must be one of {}", known.join(", ")))
        })?;
        actor.require(kind.write)?;
        (kind.make)(tx, actor, edit).await
    }
}

async fn write<R: Writable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    match &*edit.op {
        "create" => create::<R>(tx, actor, edit).await,
        "change" => change::<R>(tx, actor, edit).await,
        "delete" => delete::<R>(tx, actor, edit).await,
        _ => Err(Error::invalid("/op", "unknown", "must be create, change or delete")),
    }
}

async fn change_only<R: Changeable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    if edit.op != "change" {
        return Err(Error::invalid("/op", "unknown", "must be change"));
    }
    if R::find(tx, actor, edit.id).await?.id() != edit.id {
        return Err(Error::NotFound(R::ENTITY));
    }
    change::<R>(tx, actor, edit).await
}

async fn create<R: Writable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    unexpected("/version", edit.version.is_some())?;
    let input = read(Value::Object(data(edit))).map_err(in_data)?;
    let new = Create { id: Some(edit.id), input };
    match tx.attempt(async |tx| R::create(tx, actor, &new).await).await? {
        Ok(made) => applied(actor, &made),
        Err(Error::Duplicate { pointer }) if pointer == "/id" => {
            taken::<R>(tx, actor, edit, new).await
        }
        Err(Error::Reference) => Err(in_data(R::unknown_reference(tx, actor, &new.input).await?)),
        Err(other) => Err(in_data(other)),
    }
}

/// The id is or was another's; or this was done already, and the client has not heard of it.
async fn taken<R: Writable>(
    tx: &Tx,
    actor: &Actor,
    edit: &Edit,
    new: Create<R::Input>,
) -> Result<Outcome> {
    match R::find(tx, actor, edit.id).await {
        Ok(current) => {
            let asked = json(&R::complete(actor, new.input))?;
            let same = current.version() == 1 && asked == json(&current.input())?;
            if same { applied(actor, &current) } else { conflict(actor, &current) }
        }
        Err(Error::NotFound(_)) => match removed::<R>(tx, actor, edit.id).await? {
            Some(current_version) => Ok(Outcome::Conflict { current_version, current: None }),
            None => Err(Error::Again("the id was taken meanwhile".into())),
        },
        Err(other) => Err(other),
    }
}

async fn change<R: Changeable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    let change = Change::<R::Input>::from_body(Value::Object(data(edit))).map_err(in_data)?;
    unexpected("/data/version", change.version().is_some())?;
    let changed =
        tx.attempt(async |tx| R::change(tx, actor, edit.id, expected(edit), &change).await);
    match changed.await? {
        Ok(changed) => applied(actor, &changed),
        Err(Error::Stale(stale)) => Ok(Outcome::Conflict {
            current_version: stale.current_version,
            current: Some(hidden::<R>(actor, stale.current)),
        }),
        Err(Error::NotFound(what)) => match removed::<R>(tx, actor, edit.id).await? {
            Some(current_version) => Ok(Outcome::Conflict { current_version, current: None }),
            None => Err(Error::NotFound(what)),
        },
        Err(Error::Reference) => {
            Err(in_data(explain_change::<R>(tx, actor, edit.id, &change).await?))
        }
        Err(other) => Err(in_data(other)),
    }
}

async fn delete<R: Writable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    unexpected("/data", edit.data.is_some())?;
    let deleted = tx.attempt(async |tx| R::delete(tx, actor, edit.id, expected(edit)).await);
    match deleted.await? {
        Ok(()) => {
            let version = edit.version.unwrap_or_default() + 1;
            Ok(Outcome::Applied { version, data: None })
        }
        Err(Error::Stale(stale)) => Ok(Outcome::Conflict {
            current_version: stale.current_version,
            current: Some(hidden::<R>(actor, stale.current)),
        }),
        Err(Error::NotFound(what)) => match removed::<R>(tx, actor, edit.id).await? {
            // Done already, and the client has not heard of it; or another was as fast.
            Some(version) if edit.version.is_some_and(|last| version - 1 == last) => {
                Ok(Outcome::Applied { version, data: None })
            }
            Some(current_version) => Ok(Outcome::Conflict { current_version, current: None }),
            None => Err(Error::NotFound(what)),
        },
        Err(other) => Err(other.reference_means_in_use(R::IN_USE)),
    }
}

fn data(edit: &Edit) -> Map<String, Value> {
    edit.data.clone().unwrap_or_default()
}

fn expected(edit: &Edit) -> Expected {
    edit.version.map_or(Expected::Unnamed, Expected::Version)
}

fn unexpected(pointer: &str, is_there: bool) -> Result<()> {
    if is_there {
        return Err(Error::invalid(pointer, "unexpected", "is not taken by this op"));
    }
    Ok(())
}

async fn removed<R: Changeable>(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Option<i64>> {
    repository::removed(tx, actor.organization_id, R::ENTITY, id).await
}

fn applied<R: Changeable>(actor: &Actor, made: &R) -> Result<Outcome> {
    let data = hidden::<R>(actor, json(made)?);
    Ok(Outcome::Applied { version: made.version(), data: Some(data) })
}

fn conflict<R: Changeable>(actor: &Actor, current: &R) -> Result<Outcome> {
    let data = hidden::<R>(actor, json(current)?);
    Ok(Outcome::Conflict { current_version: current.version(), current: Some(data) })
}

fn hidden<R: Changeable>(actor: &Actor, mut data: Value) -> Value {
    if let Value::Object(fields) = &mut data {
        R::hide(actor, fields);
    }
    data
}

fn json(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::Internal(format!("a resource cannot be shown: {error}")))
}

/// What is wrong with the data, seen from the change.
fn in_data(error: Error) -> Error {
    let below = |pointer: &str| format!("/data{pointer}");
    match error {
        Error::Invalid(found) => {
            let found = found.into_iter();
            let found = found.map(|it| Violation { pointer: below(&it.pointer), ..it });
            Error::Invalid(found.collect())
        }
        Error::Duplicate { pointer } => Error::Duplicate { pointer: below(&pointer).into() },
        other => other,
    }
}
