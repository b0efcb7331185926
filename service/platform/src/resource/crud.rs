//! How a resource that is one row, and nothing besides, is written.

use std::future::Future;

use entity::{Identified, TenantEntity, Versioned};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::mapped::{Mapped, find};
use crate::{
    actor::Actor,
    error::{Error, Result},
    input::{Change, Create},
    role::Permission,
    store::{
        Tx, log,
        versioned::{self, Expected},
    },
};

/// The columns of a resource's row.
pub type Columns<T> = <<T as Mapped>::Entity as EntityTrait>::ActiveModel;

/// A resource that is created, changed and deleted as every row is: it says what is its own, and is
/// [`Changeable`](super::Changeable) and [`Writable`](super::Writable) by that. One that asks for more before its
/// version is compared, or whose changes write more than its row, implements these itself.
pub trait Crud: Mapped {
    /// What a client may write of it.
    type Input: Serialize + DeserializeOwned + Validate + ToSchema + Clone + Send + Sync + 'static;
    /// What it takes to write it, at least.
    const WRITE: Permission;
    /// Why one stays that others refer to.
    const IN_USE: &'static str;

    /// The input that would make the resource as it is.
    fn input(&self) -> Self::Input;

    /// What a new one is to be, with what the client may leave out.
    fn with_defaults(_actor: &Actor, input: Self::Input) -> Self::Input {
        input
    }

    /// The columns of what a client may write, for a new row and for a change. Those that a change leaves as they
    /// are, are not written.
    fn columns(actor: &Actor, input: Self::Input) -> Result<Columns<Self>>;

    /// What a change makes of the resource, where one of its properties follows from another that is changed.
    fn changed(_tx: &Tx, _actor: &Actor, _current: &Self, input: Self::Input) -> Self::Input {
        input
    }

    /// Refuses what the resource may not become, from what it is now; from nothing, if it is new.
    fn check(
        _tx: &Tx,
        _actor: &Actor,
        _current: Option<&Self>,
        _input: &Self::Input,
    ) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// After the database has refused a reference of this input: which one it is.
    fn unknown_reference<C: ConnectionTrait>(
        _connection: &C,
        _actor: &Actor,
        _input: &Self::Input,
    ) -> impl Future<Output = Result<Error>> + Send {
        async { Ok(Error::Reference) }
    }

    /// What is written with a new one.
    fn after_create(
        _tx: &Tx,
        _actor: &Actor,
        _created: &Self,
    ) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// What goes before the row does.
    fn before_delete(
        _tx: &Tx,
        _actor: &Actor,
        _current: &Self,
    ) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

impl<T: Crud> super::Changeable for T {
    type Input = <T as Crud>::Input;
    const WRITE: Permission = <T as Crud>::WRITE;

    fn input(&self) -> <T as Crud>::Input {
        <T as Crud>::input(self)
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Ok(find::<T>(tx, actor, id).await?.1)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<<T as Crud>::Input>,
    ) -> Result<Self> {
        let (row, current) = find::<T>(tx, actor, id).await?;
        expected.check(current.version(), &current)?;
        let input = change.apply(&<T as Crud>::input(&current))?;
        let input = T::changed(tx, actor, &current, input);
        T::check(tx, actor, Some(&current), &input).await?;
        let next = T::columns(actor, input)?;
        versioned::update(tx, actor, change.verb(), &row, next, T::try_from).await
    }

    async fn unknown_reference<C: ConnectionTrait>(
        connection: &C,
        actor: &Actor,
        input: &<T as Crud>::Input,
    ) -> Result<Error> {
        <T as Crud>::unknown_reference(connection, actor, input).await
    }
}

impl<T: Crud> super::Writable for T {
    const IN_USE: &'static str = <T as Crud>::IN_USE;

    fn with_defaults(actor: &Actor, input: <T as Crud>::Input) -> <T as Crud>::Input {
        <T as Crud>::with_defaults(actor, input)
    }

    async fn create(tx: &Tx, actor: &Actor, new: &Create<<T as Crud>::Input>) -> Result<Self> {
        let input = <T as Crud>::with_defaults(actor, new.input.clone());
        T::check(tx, actor, None, &input).await?;
        let id = log::new_id::<T>(tx, actor.organization_id, new.id).await?;
        let columns = T::columns(actor, input)?;
        insert::<T>(tx, actor, id, columns).await
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let (row, current) = find::<T>(tx, actor, id).await?;
        expected.check(current.version(), &current)?;
        T::before_delete(tx, actor, &current).await?;
        versioned::delete(tx, actor, &row, &current).await
    }
}

/// Writes a new row of these columns.
pub async fn insert<T: Crud>(tx: &Tx, actor: &Actor, id: Uuid, mut row: Columns<T>) -> Result<T> {
    let now = tx.now().fixed_offset();
    let columns = [
        (<T::Entity as TenantEntity>::ORGANIZATION_ID, actor.organization_id.into()),
        (<T::Entity as Identified>::ID, id.into()),
        (<T::Entity as Versioned>::CREATED_AT, now.into()),
        (<T::Entity as Versioned>::UPDATED_AT, now.into()),
    ];
    for (column, value) in columns {
        ActiveModelTrait::set(&mut row, column, value);
    }
    let created = versioned::insert(tx, actor, row, T::try_from).await?;
    T::after_create(tx, actor, &created).await?;
    Ok(created)
}
