use chrono::TimeDelta;
use entity::session;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Login, NewSession, PREFIX, Session, repository};
use crate::{
    error::{Error, Result},
    idempotency::WriteOnce,
    identity::{
        throttle::Origin,
        user::{self, Fit, Passwords},
    },
    store::{
        Store, Tx,
        page::{Page, PageQuery},
        versioned,
    },
    text::address_key,
};

const REFUSED: Error = Error::Unauthenticated("the email address or the password is wrong");

/// Logs in. The answer for an unknown address is the answer for a wrong password, and takes as long.
pub async fn create(
    store: WriteOnce<'_, NewSession>,
    passwords: &Passwords,
    lifetime: TimeDelta,
    login: Login,
    (origin, user_agent): (Origin, Option<String>),
) -> Result<NewSession> {
    let Login { email, password } = login;
    let user = user::repository::by_email(store.read(), &address_key(&email)).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let fit = passwords.verify(password.clone(), hash, origin).await?;
    // Who is disabled is told what a wrong password is told.
    let user = user.filter(|user| fit != Fit::No && user.disabled_at.is_none()).ok_or(REFUSED)?;
    let renewed = match fit {
        Fit::Outdated => Some(passwords.hash(password, store.random(), Origin::Known).await?),
        Fit::Yes | Fit::No => None,
    };
    let secret = store.random().secret().prefixed(PREFIX);
    let draft = Draft {
        token: secret.reveal().to_owned(),
        token_hash: secret.hash(),
        user_agent: user_agent
            .map(|agent| agent.chars().filter(|c| *c != '\0').take(300).collect()),
        lifetime,
    };
    let checked = user;
    store.write(async move |tx| insert(tx, &checked, renewed.as_deref(), &draft).await).await
}

/// A session on its way.
struct Draft {
    token: String,
    token_hash: String,
    user_agent: Option<String>,
    lifetime: TimeDelta,
}

/// Writes the session of a user whose password was checked.
async fn insert(
    tx: &Tx,
    checked: &entity::user::Model,
    renewed: Option<&str>,
    draft: &Draft,
) -> Result<NewSession> {
    // The password may have changed while it was being checked, or the user be disabled.
    let user = user::repository::get(tx, checked.id).await?;
    if user.password_hash != checked.password_hash || user.disabled_at.is_some() {
        return Err(REFUSED);
    }
    // Held, so that neither happens beside this: it ends the sessions that it sees.
    versioned::lock::<entity::user::Entity>(tx, &user).await?;
    if let Some(hash) = renewed {
        user::repository::renew_hash(tx, &user, hash.to_owned()).await?;
    }
    let now = tx.now();
    repository::sweep(tx, user.id, now).await?;
    let row = session::ActiveModel {
        id: Set(tx.new_id()),
        user_id: Set(user.id),
        token_hash: Set(draft.token_hash.clone()),
        user_agent: Set(draft.user_agent.clone()),
        created_at: Set(now.fixed_offset()),
        expires_at: Set((now + draft.lifetime).fixed_offset()),
    };
    let row = repository::insert(tx, row).await?;
    Ok(NewSession {
        id: row.id,
        token: draft.token.clone(),
        expires_at: row.expires_at.to_utc(),
        user: user.try_into()?,
    })
}

/// The user's sessions, the newest first.
pub async fn list(
    store: &Store,
    user_id: Uuid,
    current: Uuid,
    page: &PageQuery,
) -> Result<Page<Session>> {
    let page = repository::list(store.read(), user_id, store.now(), page).await?;
    Ok(page.map(|row| {
        let session::Model { user_id: _, id, token_hash: _, user_agent, created_at, expires_at } =
            row;
        Session {
            id,
            current: id == current,
            user_agent,
            created_at: created_at.to_utc(),
            expires_at: expires_at.to_utc(),
        }
    }))
}

/// Ends one of the user's sessions, at once.
pub async fn end(store: &Store, user_id: Uuid, id: Uuid) -> Result<()> {
    let ended = store
        .write(async move |tx| {
            tx.invalidate_access();
            repository::end(tx, user_id, id).await
        })
        .await?;
    if ended { Ok(()) } else { Err(Error::NotFound("session")) }
}
