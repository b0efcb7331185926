//! What the operator does to users, who holds the database itself: what the command line calls.

use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;
use validator::Validate;

use super::{NewUser, PasswordChange, Passwords, User, commands::NewUserRow, repository};
use crate::{
    error::{Error, Result, violations},
    event::Verb,
    identity::{member, organization, session, throttle::Origin},
    store::{Store, Tx, log::EventContext, versioned},
    text::address_key,
};

/// How many users are read at once.
const PAGE_SIZE: u64 = 200;

/// A user, as the operator sees them.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user: User,
    /// Since when they cannot log in.
    pub disabled_at: Option<DateTime<Utc>>,
}

impl TryFrom<user::Model> for Account {
    type Error = Error;

    fn try_from(row: user::Model) -> Result<Self> {
        Ok(Self { disabled_at: row.disabled_at.map(|at| at.to_utc()), user: row.try_into()? })
    }
}

/// Shows every user, in the order of their addresses.
pub async fn each(store: &Store, mut show: impl FnMut(Account)) -> Result<()> {
    let mut last = String::new();
    loop {
        let page = repository::after(store.read(), &last, PAGE_SIZE).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last.clone_from(&end.email_key);
        for row in page {
            show(Account::try_from(row)?);
        }
    }
}

/// Makes a user, whoever may register.
///
/// # Errors
/// [`Error::Invalid`], and [`Error::Duplicate`] where the address is taken.
pub async fn create(store: &Store, passwords: &Passwords, new: NewUser) -> Result<User> {
    valid(&new)?;
    let NewUser { email, display_name, password, invitation: _ } = new;
    let password_hash = passwords.hash(password, store.random(), Origin::Known).await?;
    let new = NewUserRow { email, display_name, password_hash };
    let made = store.write(async move |tx| {
        let row = new.row(tx.new_id(), tx);
        versioned::insert(tx, EventContext::operator(), row, User::try_from).await
    });
    told(store, made.await?).await
}

/// Gives a user another password, and ends all of their sessions.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] where it cannot be a password.
pub async fn reset_password(
    store: &Store,
    passwords: &Passwords,
    email: &str,
    new_password: String,
) -> Result<User> {
    let change = PasswordChange { current_password: String::new(), new_password };
    valid(&change)?;
    let hash = passwords.hash(change.new_password, store.random(), Origin::Known).await?;
    let email_key = address_key(email);
    let reset = store.write(async move |tx| {
        let row = by_email(tx, &email_key).await?;
        let next = user::ActiveModel { password_hash: Set(hash.clone()), ..Default::default() };
        let verb = Verb::PasswordChanged;
        let user =
            versioned::update(tx, EventContext::operator(), verb, &row, next, User::try_from)
                .await?;
        end_access(tx, user.id).await?;
        Ok(user)
    });
    told(store, reset.await?).await
}

/// Refuses the user's logins from now on, ends their sessions, and lets their API keys rest.
///
/// # Errors
/// [`Error::NotFound`]; unless `force`, [`Error::State`] where an organization would have no owner left
/// who can log in.
pub async fn disable(store: &Store, email: &str, force: bool) -> Result<User> {
    let email_key = address_key(email);
    let disabled = store.write(async move |tx| {
        let row = by_email(tx, &email_key).await?;
        if row.disabled_at.is_some() {
            return User::try_from(row);
        }
        if !force {
            ensure_owners_remain(tx, row.id).await?;
        }
        let at = Some(tx.now().fixed_offset());
        let user = set_disabled(tx, Verb::Disabled, &row, at).await?;
        end_access(tx, user.id).await?;
        Ok(user)
    });
    told(store, disabled.await?).await
}

/// Lets a user log in again, and their API keys be used.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn enable(store: &Store, email: &str) -> Result<User> {
    let email_key = address_key(email);
    let enabled = store.write(async move |tx| {
        let row = by_email(tx, &email_key).await?;
        if row.disabled_at.is_none() {
            return User::try_from(row);
        }
        set_disabled(tx, Verb::Enabled, &row, None).await
    });
    told(store, enabled.await?).await
}

fn valid(input: &impl Validate) -> Result<()> {
    input.validate().map_err(|errors| Error::Invalid(violations(&errors)))
}

async fn by_email(tx: &Tx, email_key: &str) -> Result<user::Model> {
    repository::by_email(tx, email_key).await?.ok_or(Error::NotFound("user"))
}

async fn set_disabled(
    tx: &Tx,
    verb: Verb,
    row: &user::Model,
    at: Option<DateTime<chrono::FixedOffset>>,
) -> Result<User> {
    let next = user::ActiveModel { disabled_at: Set(at), ..Default::default() };
    versioned::update(tx, EventContext::operator(), verb, row, next, User::try_from).await
}

async fn end_access(tx: &Tx, user_id: Uuid) -> Result<()> {
    tx.invalidate_access();
    session::repository::end_all(tx, user_id).await
}

/// Refuses where an organization has no other owner who can log in.
async fn ensure_owners_remain(tx: &Tx, user_id: Uuid) -> Result<()> {
    for owner in member::repository::owned_by(tx, user_id).await? {
        organization::repository::lock(tx, owner.organization_id).await?;
        if !member::repository::other_owner_with_login(tx, &owner).await? {
            let id = owner.organization_id;
            let detail = format!("organization {id} would have no owner left who can log in");
            return Err(Error::state("last_owner", detail));
        }
    }
    Ok(())
}

/// Tells the servers on the same database, as far as that can be done: this process ends now.
async fn told<T>(store: &Store, done: T) -> Result<T> {
    store.notify().await?;
    Ok(done)
}
