//! One change, made in a savepoint by the function that its own operation calls too.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Edit, Outcome, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::{Change, Create, FromBody, TransitionBody, read},
    resource::{Changeable, Transition, Transitions, Writable, explain_change},
    store::{Tx, versioned::Expected},
    work::daily_report::{self, DailyReport},
};

pub(super) async fn write<R: Writable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    match &*edit.op {
        "create" => create::<R>(tx, actor, edit).await,
        "update" => change::<R>(tx, actor, edit).await,
        "delete" => delete::<R>(tx, actor, edit).await,
        other => Err(unmade(other)),
    }
}

fn unmade(op: &str) -> Error {
    Error::Internal(format!("an op that no function makes: {op}"))
}

pub(super) async fn change_only<R: Changeable>(
    tx: &Tx,
    actor: &Actor,
    edit: &Edit,
) -> Result<Outcome> {
    if R::find(tx, actor, edit.id).await?.id() != edit.id {
        return Err(Error::NotFound(R::ENTITY));
    }
    change::<R>(tx, actor, edit).await
}

async fn create<R: Writable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    unexpected("/version", edit.version.is_some())?;
    let input = read(Value::Object(data(edit))).map_err(in_data)?;
    let new = Create { id: Some(edit.id), input };
    match tx.savepoint(async |tx| R::create(tx, actor, &new).await).await? {
        Ok(made) => applied(actor, &made),
        Err(Error::Duplicate { pointer }) if pointer == "/id" => {
            id_taken::<R>(tx, actor, edit, new).await
        }
        Err(Error::Reference) => Err(in_data(R::unknown_reference(tx, actor, &new.input).await?)),
        Err(other) => Err(in_data(other)),
    }
}

/// The id is or was another's; or this was done already, and the client has not heard of it.
async fn id_taken<R: Writable>(
    tx: &Tx,
    actor: &Actor,
    edit: &Edit,
    new: Create<R::Input>,
) -> Result<Outcome> {
    match R::find(tx, actor, edit.id).await {
        Ok(current) => {
            let asked = json(&current.normalized(R::with_defaults(actor, new.input)))?;
            let same = current.version() == 1 && asked == json(&current.input())?;
            if same { applied(actor, &current) } else { conflict(actor, &current) }
        }
        Err(Error::NotFound(_)) => match removed::<R>(tx, actor, edit.id).await? {
            Some(current_version) => Ok(Outcome::Conflict { current_version, current: None }),
            None => Err(Error::lost_race("the id was taken meanwhile")),
        },
        Err(other) => Err(other),
    }
}

async fn change<R: Changeable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    let change = Change::<R::Input>::from_body(Value::Object(data(edit))).map_err(in_data)?;
    unexpected("/data/version", change.version().is_some())?;
    let (id, expected) = (edit.id, expected(edit));
    match tx.savepoint(async |tx| R::change(tx, actor, id, expected, &change).await).await? {
        Ok(changed) => applied(actor, &changed),
        Err(Error::Reference) => Err(in_data(explain_change::<R>(tx, actor, id, &change).await?)),
        Err(error) => rejected::<R>(tx, actor, edit, error).await,
    }
}

async fn delete<R: Writable>(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    unexpected("/data", edit.data.is_some())?;
    let (id, expected) = (edit.id, expected(edit));
    match tx.savepoint(async |tx| R::delete(tx, actor, id, expected).await).await? {
        Ok(()) => {
            let version = edit.version.unwrap_or_default() + 1;
            Ok(Outcome::Applied { version, data: None })
        }
        Err(error) => {
            let error = error.reference_means_in_use(R::IN_USE);
            rejected::<R>(tx, actor, edit, error).await
        }
    }
}

pub(super) async fn transition<R: Changeable + Transitions>(
    tx: &Tx,
    actor: &Actor,
    edit: &Edit,
) -> Result<Outcome> {
    let named = R::Transition::ALL.iter().find(|transition| transition.name() == edit.op);
    let Some(&transition) = named else { return Err(unmade(&edit.op)) };
    let (id, expected, body) = (edit.id, expected(edit), transition_body(edit)?);
    let written = tx.savepoint(async |tx| {
        R::apply_transition(tx, actor, id, expected, transition, &body).await
    });
    match written.await? {
        Ok(written) => applied(actor, &written),
        Err(error) => rejected::<R>(tx, actor, edit, error).await,
    }
}

pub(super) async fn amend_daily_report(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    use daily_report::{apply_amendment, explain_amendment};
    let (id, expected, body) = (edit.id, expected(edit), transition_body(edit)?);
    match tx.savepoint(async |tx| apply_amendment(tx, actor, id, expected, &body).await).await? {
        Ok(amended) => applied(actor, &amended),
        Err(Error::Reference) => Err(in_data(explain_amendment(tx, actor, id, &body).await?)),
        Err(error) => rejected::<DailyReport>(tx, actor, edit, error).await,
    }
}

/// What goes with a transition.
fn transition_body<T>(edit: &Edit) -> Result<TransitionBody<T>> {
    let body = TransitionBody::from_body(Value::Object(data(edit))).map_err(in_data)?;
    unexpected("/data/version", body.version().is_some())?;
    Ok(body)
}

/// What is told where the resource is not as the client took it to be.
async fn rejected<R: Changeable>(
    tx: &Tx,
    actor: &Actor,
    edit: &Edit,
    error: Error,
) -> Result<Outcome> {
    match error {
        Error::Stale(stale) => Ok(Outcome::Conflict {
            current_version: stale.current_version,
            current: Some(redacted::<R>(actor, stale.current)),
        }),
        Error::NotFound(what) => match removed::<R>(tx, actor, edit.id).await? {
            // Done already, and the client has not heard of it; or another was as fast.
            Some(version) if edit.op == "delete" && edit.version == Some(version - 1) => {
                Ok(Outcome::Applied { version, data: None })
            }
            Some(current_version) => Ok(Outcome::Conflict { current_version, current: None }),
            None => Err(Error::NotFound(what)),
        },
        other => Err(in_data(other)),
    }
}

fn data(edit: &Edit) -> Map<String, Value> {
    edit.data.clone().unwrap_or_default().0
}

fn expected(edit: &Edit) -> Expected {
    edit.version.map_or(Expected::Unnamed, Expected::Version)
}

fn unexpected(pointer: &str, is_there: bool) -> Result<()> {
    if is_there {
        return Err(Error::invalid(pointer, "unexpected", "must not be set for this operation"));
    }
    Ok(())
}

async fn removed<R: Changeable>(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Option<i64>> {
    let visibility = tx.visibility_of::<R>(actor);
    repository::removed(tx, &visibility, actor.organization_id, R::ENTITY, id).await
}

fn applied<R: Changeable>(actor: &Actor, made: &R) -> Result<Outcome> {
    let data = redacted::<R>(actor, json(made)?);
    Ok(Outcome::Applied { version: made.version(), data: Some(data) })
}

fn conflict<R: Changeable>(actor: &Actor, current: &R) -> Result<Outcome> {
    let data = redacted::<R>(actor, json(current)?);
    Ok(Outcome::Conflict { current_version: current.version(), current: Some(data) })
}

fn redacted<R: Changeable>(actor: &Actor, mut data: Value) -> Value {
    if let Value::Object(fields) = &mut data {
        R::redact(actor, fields);
    }
    data
}

fn json(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::Internal(format!("a resource cannot be shown: {error}")))
}

/// What is wrong with the data, seen from the change.
fn in_data(error: Error) -> Error {
    error.prefix_pointer("/data")
}
