use chrono::{DateTime, Utc};
use entity::user;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Fit, NewUser, PasswordChange, Passwords, Registration, User, UserInput, repository};
use crate::{
    error::{Error, Result},
    event::{self, RevertInput, Verb, Visibility},
    idempotency::WriteOnce,
    identity::{invitation, session, throttle::Origin},
    input::{Change, TransitionBody},
    random::Secret,
    resource::{Resource, versioned},
    role::Permission,
    store::{
        Connections, Store, Tx, dialect,
        log::{EventContext, NO_ORGANIZATION},
        versioned::{self, Expected},
    },
    text::address_key,
};

versioned!(User);

impl Resource for User {
    const ENTITY: &'static str = "user";
    const READ: Permission = Permission::ReadOrganization;
    const VERBS: &'static [Verb] = &[
        Verb::Created,
        Verb::Updated,
        Verb::Reverted,
        Verb::PasswordChanged,
        Verb::Disabled,
        Verb::Enabled,
    ];
}

/// Registers a user, if this server's registration lets them.
///
/// Where everybody may register, the answer for an address that is taken is that for one that is free, and
/// takes as long: whoever asks learns nothing of the address' owner, and nothing changes for them.
pub async fn register(
    store: WriteOnce<'_, User>,
    passwords: &Passwords,
    registration: Registration,
    new: NewUser,
    (origin, request_id): (Origin, Option<Uuid>),
) -> Result<User> {
    let NewUser { email, display_name, password, invitation } = new;
    let admission = admit(store.read(), store.now(), registration, invitation).await?;
    let password_hash = passwords.hash(password, store.random(), origin).await?;
    let new = NewUserRow { email, display_name, password_hash };
    store
        .write(async move |tx| {
            if matches!(admission, Admission::FirstUser) {
                ensure_first_user(tx).await?;
            }
            let id = tx.new_id();
            let (context, row) = (EventContext::user(id, request_id), new.row(id, tx));
            if !matches!(admission, Admission::Open) {
                return versioned::insert(tx, context, row, User::try_from).await;
            }
            if repository::by_email(tx, &address_key(&new.email)).await?.is_some() {
                return pretend(tx, row).await;
            }
            versioned::insert(tx, context, row, User::try_from).await.map_err(|error| {
                match error {
                    // Somebody was faster, and the next look sees them.
                    Error::Duplicate { .. } => Error::lost_race("the address is just taken"),
                    other => other,
                }
            })
        })
        .await
}

/// A user who is to be written.
pub(super) struct NewUserRow {
    pub(super) email: String,
    pub(super) display_name: String,
    pub(super) password_hash: String,
}

impl NewUserRow {
    pub(super) fn row(&self, id: Uuid, tx: &Tx) -> user::ActiveModel {
        let now = tx.now().fixed_offset();
        user::ActiveModel {
            id: Set(id),
            email: Set(self.email.clone()),
            email_key: Set(address_key(&self.email)),
            display_name: Set(self.display_name.clone()),
            password_hash: Set(self.password_hash.clone()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }
    }
}

/// Does what writing a user does, to the disk too, and leaves nothing: it shows what would have been. What
/// stands in for the address for that moment is no address, so that it is nobody's.
async fn pretend(tx: &Tx, row: user::ActiveModel) -> Result<User> {
    let key = format!("taken {}", tx.new_id());
    let row = user::ActiveModel { email_key: Set(key), version: Set(1), ..row };
    let written = user::Entity::insert(row).exec_with_returning(tx).await?;
    user::Entity::delete_many().filter(user::COLUMN.id.eq(written.id)).exec(tx).await?;
    tx.touch_head(NO_ORGANIZATION).await?;
    User::try_from(written)
}

/// How somebody comes to register.
#[derive(Debug, Clone, Copy)]
enum Admission {
    /// As everybody may.
    Open,
    /// With an invitation.
    Invited,
    /// As the first of all.
    FirstUser,
}

async fn admit(
    connection: &Connections,
    now: DateTime<Utc>,
    registration: Registration,
    token: Option<String>,
) -> Result<Admission> {
    match registration {
        Registration::Open => Ok(Admission::Open),
        Registration::Closed => {
            Err(Error::forbidden("registration_closed", "registration is closed"))
        }
        Registration::Invite => {
            if let Some(token) = token {
                let opened = invitation::open(connection, &Secret::of(token), now).await;
                opened.map(|_| Admission::Invited)
            } else {
                refuse_if_any(connection).await.map(|()| Admission::FirstUser)
            }
        }
    }
}

async fn refuse_if_any(connection: &impl ConnectionTrait) -> Result<()> {
    if repository::any(connection).await? {
        return Err(Error::forbidden("invitation_required", "registration requires an invitation"));
    }
    Ok(())
}

/// Of several who would all be the first at the same moment, one is.
async fn ensure_first_user(tx: &Tx) -> Result<()> {
    dialect::lock_table(tx, "user").await?;
    refuse_if_any(tx).await
}

/// The user.
pub async fn get(store: &Store, id: Uuid) -> Result<User> {
    User::try_from(repository::get(store.read(), id).await?)
}

/// Changes what a user may write of themselves.
pub async fn change(
    store: &Store,
    (id, context): (Uuid, EventContext),
    expected: Expected,
    change: Change<UserInput>,
) -> Result<User> {
    store
        .write(async move |tx| write_change(tx, id, context, expected.clone(), &change).await)
        .await
}

/// Makes a user again what they were at an earlier version.
pub async fn revert(
    store: WriteOnce<'_, User>,
    (id, context): (Uuid, EventContext),
    expected: Expected,
    body: TransitionBody<RevertInput>,
) -> Result<User> {
    store
        .write(async move |tx| {
            let own = Visibility::unscoped();
            let back = event::revert_to::<User, _>(tx, &own, NO_ORGANIZATION, id, &body).await;
            let change = match back {
                Ok(change) => change,
                Err(error @ (Error::Invalid(_) | Error::State { .. })) => {
                    // Which version they have is said first.
                    write_change(tx, id, context, expected.clone(), &Change::none()).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
            write_change(tx, id, context, expected.clone(), &change).await
        })
        .await
}

async fn write_change(
    tx: &Tx,
    id: Uuid,
    context: EventContext,
    expected: Expected,
    change: &Change<UserInput>,
) -> Result<User> {
    let row = repository::get(tx, id).await?;
    expected.check(row.version, &User::try_from(row.clone())?)?;
    let UserInput { email, display_name } = change
        .apply(&UserInput { email: row.email.clone(), display_name: row.display_name.clone() })?;
    let next = user::ActiveModel {
        email_key: Set(address_key(&email)),
        email: Set(email),
        display_name: Set(display_name),
        ..Default::default()
    };
    versioned::update(tx, context, change.verb(), &row, next, User::try_from).await
}

/// Changes the password and ends every other session of the user.
pub async fn change_password(
    store: WriteOnce<'_, ()>,
    passwords: &Passwords,
    (id, context): (Uuid, EventContext),
    session_id: Uuid,
    change: PasswordChange,
) -> Result<()> {
    let PasswordChange { current_password, new_password } = change;
    let row = repository::get(store.read(), id).await?;
    let known = Some(row.password_hash.clone());
    if passwords.verify(current_password, known, Origin::Known).await? == Fit::No {
        return Err(Error::invalid(
            "/current_password",
            "wrong_password",
            "must be the current password",
        ));
    }
    let hash = passwords.hash(new_password, store.random(), Origin::Known).await?;
    store
        .write(async move |tx| {
            // Not against the row that was read before the hash took its time: the password
            // must still be the one that was checked.
            let now = repository::get(tx, row.id).await?;
            if now.password_hash != row.password_hash {
                return Err(Error::state(
                    "password_changed",
                    "the password has been changed by another request",
                ));
            }
            let next = user::ActiveModel { password_hash: Set(hash.clone()), ..Default::default() };
            let verb = Verb::PasswordChanged;
            versioned::update(tx, context, verb, &now, next, User::try_from).await?;
            tx.invalidate_access();
            session::repository::end_others(tx, row.id, session_id).await
        })
        .await
}
