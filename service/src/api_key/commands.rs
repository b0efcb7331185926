use chrono::SubsecRound;
use entity::api_key;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{ApiKey, ApiKeyInput, IssuedApiKey, PREFIX, repository};
use crate::{
    access,
    actor::Actor,
    error::{Error, Result},
    input::Create,
    member,
    store::{
        Store,
        page::{Page, PageQuery},
        versioned,
        versioned::Expected,
    },
};

/// Makes a key that acts for the actor. The token is in the answer, and nowhere else.
pub async fn create(
    store: &Store,
    actor: &Actor,
    new: Create<ApiKeyInput>,
) -> Result<IssuedApiKey> {
    let secret = access::tenant_token(store.random(), PREFIX, actor.organization_id);
    let row = store
        .write((actor.clone(), new, secret.hash()), |tx, (actor, new, token_hash)| {
            Box::pin(async move {
                let ApiKeyInput { name, role, expires_at } = new.input.clone();
                member::may_give(actor, role)?;
                let member_id = actor.member_id.ok_or_else(|| {
                    Error::forbidden("no_member", "a key acts for a member, and this is none")
                })?;
                if expires_at.is_some_and(|at| at <= tx.now()) {
                    return Err(Error::invalid("/expires_at", "past", "must lie in the future"));
                }
                let now = tx.now().fixed_offset();
                let row = api_key::ActiveModel {
                    organization_id: Set(actor.organization_id),
                    id: Set(new.id.unwrap_or_else(|| tx.new_id())),
                    member_id: Set(member_id),
                    name: Set(name),
                    role: Set(role.as_str().to_owned()),
                    token_hash: Set(token_hash.clone()),
                    expires_at: Set(expires_at.map(|at| at.trunc_subsecs(6).fixed_offset())),
                    created_at: Set(now),
                    updated_at: Set(now),
                    ..Default::default()
                };
                versioned::insert::<api_key::Entity, _>(tx, row).await
            })
        })
        .await?;
    Ok(IssuedApiKey { token: secret.reveal().to_owned(), api_key: row.into() })
}

/// The key, without its token.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<ApiKey> {
    let row = versioned::get::<api_key::Entity>(store.read(), actor.organization_id, id).await?;
    Ok(row.into())
}

/// The keys, the newest first.
pub async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<ApiKey>> {
    let page = repository::list(store.read(), actor.organization_id, page).await?;
    Ok(page.map(ApiKey::from))
}

/// Ends a key, at once.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    store
        .write((actor.clone(), id, expected), |tx, (actor, id, expected)| {
            Box::pin(async move {
                let row = versioned::get::<api_key::Entity>(tx, actor.organization_id, *id).await?;
                expected.check(row.version, &ApiKey::from(row.clone()))?;
                versioned::delete::<api_key::Entity>(tx, &row).await
            })
        })
        .await?;
    store.revoked();
    Ok(())
}
