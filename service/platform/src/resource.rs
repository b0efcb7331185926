//! What all resources have in common: how the log knows them, and how clients write them.
//!
//! One that is [`Readable`] is read by the standard routes of the API (`api/src/resource`). One that is
//! [`Changeable`] or [`Writable`] is created, changed and removed by the functions below, and by whatever else
//! goes through them all: `POST …/sync`, a revert, a rule. One that has [`Transitions`] is moved on by them.
//!
//! What is one row of its organization is [`Mapped`] to it, and so [`Readable`]; what is written as every row is
//! says what is its own by [`Crud`], and is [`Changeable`] and [`Writable`] by that.

mod crud;
mod mapped;

use std::{borrow::Cow, future::Future};

use sea_orm::ConnectionTrait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use crud::{Columns, Crud, insert};
pub use mapped::{Mapped, Row, find, list_rows};

use crate::{
    actor::Actor,
    error::{Error, Result},
    event::{RevertInput, Verb, revert_to},
    idempotency::WriteOnce,
    input::{Change, Create, TransitionBody},
    role::Permission,
    seal::Keyring,
    store::{
        Isolation, Store, Tx,
        page::{Page, Paged},
        versioned::Expected,
    },
};

/// Something that has an id and a version, as the API shows it.
pub trait Versioned: Serialize {
    /// Its id.
    fn id(&self) -> Uuid;

    /// Its version.
    fn version(&self) -> i64;
}

/// Implements [`Versioned`] for views that have an `id` and a `version`, and for views that contain
/// such a view.
#[doc(hidden)]
#[macro_export]
macro_rules! __versioned {
    ($($view:ty $(: $inner:ident)?),* $(,)?) => {$(
        impl $crate::resource::Versioned for $view {
            fn id(&self) -> ::uuid::Uuid {
                self$(.$inner)?.id
            }

            fn version(&self) -> i64 {
                self$(.$inner)?.version
            }
        }
    )*};
}
pub use crate::__versioned as versioned;

/// What the log tells of.
pub trait Resource: Versioned + ToSchema + Send + Sync + 'static {
    /// Its name in events: `expense`.
    const ENTITY: &'static str;
    /// What it takes to see it, its events included.
    const READ: Permission;
    /// What can happen to it.
    const VERBS: &'static [Verb];
    /// Which of its fields are sealed, in its row and in the log ([`crate::event::sealed`]).
    const SEALED: &'static [&'static str] = &[];
    /// Which of its fields are JSON that is kept to the letter, digits of numbers and order of names included: in
    /// what clients send, and in the log ([`crate::event::verbatim`]).
    const VERBATIM: &'static [&'static str] = &[];
    /// Whether each belongs to a scope.
    const SCOPED: bool = false;

    /// The scope that it belongs to, which says besides [`Self::READ`] who may see it ([`crate::event::Visibility`]).
    fn scope(&self) -> Option<Uuid> {
        None
    }

    /// Takes out what the actor may not see of one that others may see as a whole.
    fn redact(_actor: &Actor, _data: &mut Map<String, Value>) {}

    /// Refuses where there is no key to what is sealed of it, whether or not there is one of it.
    ///
    /// # Errors
    /// [`Error::NotConfigured`].
    fn require_keys(keyring: &Keyring) -> Result<()> {
        if Self::SEALED.is_empty() { Ok(()) } else { keyring.require() }
    }
}

/// What the log, the feeds and the webhooks know of a resource without its type.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor {
    /// [`Resource::ENTITY`].
    pub entity: &'static str,
    /// [`Resource::READ`].
    pub read: Permission,
    /// [`Resource::VERBS`].
    pub verbs: &'static [Verb],
    /// [`Resource::redact`].
    pub redact: fn(&Actor, &mut Map<String, Value>),
    /// [`Resource::SEALED`].
    pub sealed: &'static [&'static str],
    /// [`Resource::VERBATIM`].
    pub verbatim: &'static [&'static str],
    /// [`Resource::SCOPED`].
    pub scoped: bool,
    /// The name of its schema in the OpenAPI document.
    pub schema: fn() -> Cow<'static, str>,
}

impl Descriptor {
    /// That of a resource.
    pub const fn of<R: Resource>() -> Self {
        Self {
            entity: R::ENTITY,
            read: R::READ,
            verbs: R::VERBS,
            redact: R::redact,
            sealed: R::SEALED,
            verbatim: R::VERBATIM,
            scoped: R::SCOPED,
            schema: <R as ToSchema>::name,
        }
    }

    /// Whether an event can be of this kind: `expense.approved`.
    pub fn has_kind(&self, kind: &str) -> bool {
        kind.split_once('.').is_some_and(|(entity, verb)| {
            entity == self.entity && self.verbs.iter().any(|known| known.as_str() == verb)
        })
    }
}

/// A resource that is read by its id, and in lists.
pub trait Readable: Resource + Sized {
    /// What a list can be asked for: [`PageQuery`], or the resource's own filters.
    ///
    /// [`PageQuery`]: crate::store::page::PageQuery
    type Query: Paged + DeserializeOwned + Validate + IntoParams + Clone + 'static;

    /// The resource as it is, as far as the actor may see it.
    fn get(store: &Store, actor: &Actor, id: Uuid) -> impl Future<Output = Result<Self>> + Send;

    /// A page of those that the query asks for.
    fn list(
        store: &Store,
        actor: &Actor,
        query: &Self::Query,
    ) -> impl Future<Output = Result<Page<Self>>> + Send;
}

/// A resource that clients change. Its functions run in a transaction that is under way.
pub trait Changeable: Resource + Sized {
    /// What a client may write of it.
    type Input: Serialize + DeserializeOwned + Validate + ToSchema + Clone + Send + Sync + 'static;
    /// What it takes to write it, at least.
    const WRITE: Permission;
    /// The isolation level of its writes. One that locks what it depends on before it reads it
    /// takes READ COMMITTED: it waits for others, and does not run again for each of them.
    const ISOLATION: Isolation = Isolation::RepeatableRead;

    /// The input that would make the resource as it is.
    fn input(&self) -> Self::Input;

    /// The resource.
    fn find(tx: &Tx, actor: &Actor, id: Uuid) -> impl Future<Output = Result<Self>> + Send;

    /// Changes one.
    fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<Self::Input>,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// After the database has refused a reference of this input: which one it is.
    fn unknown_reference<C: ConnectionTrait>(
        _connection: &C,
        _actor: &Actor,
        _input: &Self::Input,
    ) -> impl Future<Output = Result<Error>> + Send {
        async { Ok(Error::Reference) }
    }
}

/// A resource that clients make and remove, too.
pub trait Writable: Changeable {
    /// Why one stays that others refer to.
    const IN_USE: &'static str;

    /// What a new one is to be, with what the client may leave out.
    fn with_defaults(_actor: &Actor, input: Self::Input) -> Self::Input {
        input
    }

    /// What this one was asked to be, with what it was given besides: to know one that was made already.
    fn normalized(&self, asked: Self::Input) -> Self::Input {
        asked
    }

    /// Makes a new one.
    fn create(
        tx: &Tx,
        actor: &Actor,
        new: &Create<Self::Input>,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// Removes one.
    fn delete(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// What can be done to a resource in its workflow, besides changing it.
pub trait Transition: Copy + Send + Sync + 'static {
    /// Those that clients name, with the same input.
    const ALL: &'static [Self];

    /// Its name in paths and in offline edits: `submit`.
    fn name(self) -> &'static str;

    /// What it takes, at least.
    fn permission(self) -> Permission;
}

/// A resource that clients move on by transitions.
pub trait Transitions: Resource + Sized {
    /// What can be done to it.
    type Transition: Transition;
    /// What goes with that.
    type TransitionInput: DeserializeOwned + Validate + ToSchema + Send + Sync + 'static;
    /// The isolation level, as that of [`Changeable::ISOLATION`].
    const ISOLATION: Isolation = Isolation::RepeatableRead;

    /// Moves one on, in a transaction that is under way.
    fn apply_transition(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        transition: Self::Transition,
        body: &TransitionBody<Self::TransitionInput>,
    ) -> impl Future<Output = Result<Self>> + Send;
}

/// The store as writes of a resource take it.
fn writer<R: Changeable>(store: &Store) -> Result<Store> {
    R::require_keys(store.keyring())?;
    Ok(store.with_isolation(R::ISOLATION))
}

/// Makes a new resource.
pub async fn create<R: Writable>(
    store: WriteOnce<'_, R>,
    actor: &Actor,
    new: Create<R::Input>,
) -> Result<R> {
    R::require_keys(store.keyring())?;
    let connection = store.read();
    let written = {
        let (actor, new) = (actor.clone(), new.clone());
        store.with_isolation(R::ISOLATION).write(async move |tx| R::create(tx, &actor, &new).await)
    };
    match written.await {
        Err(Error::Reference) => Err(R::unknown_reference(connection, actor, &new.input).await?),
        other => other,
    }
}

/// Changes a resource.
pub async fn change<R: Changeable>(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    change: Change<R::Input>,
) -> Result<R> {
    let written = {
        let (actor, change) = (actor.clone(), change.clone());
        writer::<R>(store)?
            .write(async move |tx| R::change(tx, &actor, id, expected.clone(), &change).await)
            .await
    };
    match written {
        Err(Error::Reference) => {
            let actor = actor.clone();
            let explained =
                store.snapshot(async move |tx| explain_change::<R>(tx, &actor, id, &change).await);
            Err(explained.await?)
        }
        other => other,
    }
}

/// Makes a resource again what it was at an earlier version: a new one, under the rules of now.
pub async fn revert<R: Changeable>(
    store: WriteOnce<'_, R>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<RevertInput>,
) -> Result<R> {
    R::require_keys(store.keyring())?;
    let explained = {
        let (actor, body) = (actor.clone(), body.clone());
        store.snapshot(async move |tx| {
            let visibility = tx.visibility_of::<R>(&actor);
            let log = actor.organization_id;
            let change = revert_to::<R, _>(tx, &visibility, log, id, &body).await?;
            explain_change::<R>(tx, &actor, id, &change).await
        })
    };
    let actor = actor.clone();
    let written = store
        .with_isolation(R::ISOLATION)
        .write(async move |tx| revert_in(tx, &actor, id, expected.clone(), &body).await);
    match written.await {
        Err(Error::Reference) => Err(explained.await?),
        other => other,
    }
}

/// Reverts a resource, in a transaction that is under way.
async fn revert_in<R: Changeable>(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: &TransitionBody<RevertInput>,
) -> Result<R> {
    let visibility = tx.visibility_of::<R>(actor);
    match revert_to::<R, _>(tx, &visibility, actor.organization_id, id, body).await {
        Ok(change) => R::change(tx, actor, id, expected, &change).await,
        Err(error @ (Error::Invalid(_) | Error::State { .. })) => {
            // Whether there is one to revert, whose it is and which version it has is said first. Nothing of it
            // stays: the error ends the transaction.
            R::change(tx, actor, id, expected, &Change::none()).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Moves a resource on.
pub async fn transition<R: Transitions>(
    store: WriteOnce<'_, R>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    transition: R::Transition,
    body: TransitionBody<R::TransitionInput>,
) -> Result<R> {
    let actor = actor.clone();
    store
        .with_isolation(R::ISOLATION)
        .write(async move |tx| {
            R::apply_transition(tx, &actor, id, expected.clone(), transition, &body).await
        })
        .await
}

/// After the database has refused a reference of a change: which one it is.
pub async fn explain_change<R: Changeable>(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    change: &Change<R::Input>,
) -> Result<Error> {
    let input = change.apply(&R::find(tx, actor, id).await?.input())?;
    R::unknown_reference(tx, actor, &input).await
}

/// Removes a resource.
pub async fn delete<R: Writable>(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
) -> Result<()> {
    let actor = actor.clone();
    let removed = writer::<R>(store)?
        .write(async move |tx| R::delete(tx, &actor, id, expected.clone()).await)
        .await;
    removed.map_err(|error| error.reference_means_in_use(R::IN_USE))
}
