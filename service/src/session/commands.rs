use chrono::TimeDelta;
use entity::session;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Login, NewSession, PREFIX, Session, repository};
use crate::{
    error::{Error, Result},
    store::{
        Store,
        page::{Page, PageQuery},
    },
    text::fold,
    user::{self, Passwords},
};

/// Logs in. The answer for an unknown address is the answer for a wrong password, and takes as long.
pub async fn create(
    store: &Store,
    passwords: &Passwords,
    lifetime: TimeDelta,
    login: Login,
    user_agent: Option<String>,
) -> Result<NewSession> {
    let Login { email, password } = login;
    let user = user::repository::by_email(store.read(), &fold(&email)).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let fits = passwords.verify(password, hash).await?;
    let Some(user) = user.filter(|_| fits) else {
        return Err(Error::Unauthenticated("no such user, or not the password"));
    };
    let secret = store.random().secret().prefixed(PREFIX);
    let user_agent =
        user_agent.map(|agent| agent.chars().filter(|c| *c != '\0').take(300).collect());
    let token = secret.reveal().to_owned();
    store
        .write(
            (user.id, user.password_hash.clone(), secret.hash(), token, user_agent, lifetime),
            |tx, (user_id, password_hash, token_hash, token, user_agent, lifetime)| {
                Box::pin(async move {
                    // The password may have changed while it was being checked.
                    let user = user::repository::get(tx, *user_id).await?;
                    if user.password_hash != *password_hash {
                        return Err(Error::Unauthenticated("no such user, or not the password"));
                    }
                    let now = tx.now();
                    repository::sweep(tx, *user_id, now).await?;
                    let row = session::ActiveModel {
                        id: Set(tx.new_id()),
                        user_id: Set(*user_id),
                        token_hash: Set(token_hash.clone()),
                        user_agent: Set(user_agent.clone()),
                        created_at: Set(now.fixed_offset()),
                        expires_at: Set((now + *lifetime).fixed_offset()),
                    };
                    let row = repository::insert(tx, row).await?;
                    Ok(NewSession {
                        id: row.id,
                        token: token.clone(),
                        expires_at: row.expires_at.to_utc(),
                        user: user.into(),
                    })
                })
            },
        )
        .await
}

/// The user's sessions, the newest first.
pub async fn list(
    store: &Store,
    user_id: Uuid,
    current: Uuid,
    page: &PageQuery,
) -> Result<Page<Session>> {
    let page = repository::list(store.read(), user_id, store.now(), page).await?;
    Ok(page.map(|row| Session {
        id: row.id,
        current: row.id == current,
        user_agent: row.user_agent,
        created_at: row.created_at.to_utc(),
        expires_at: row.expires_at.to_utc(),
    }))
}

/// Ends one of the user's sessions, at once.
pub async fn end(store: &Store, user_id: Uuid, id: Uuid) -> Result<()> {
    let ended = store
        .write((user_id, id), |tx, (user_id, id)| {
            Box::pin(async move {
                tx.revoke();
                repository::end(tx, *user_id, *id).await
            })
        })
        .await?;
    if ended { Ok(()) } else { Err(Error::NotFound("session")) }
}
