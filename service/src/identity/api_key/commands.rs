use std::collections::HashSet;

use chrono::{DateTime, SubsecRound, Utc};
use entity::api_key;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{ApiKey, ApiKeyInput, IssuedApiKey, PREFIX, repository};
use crate::{
    actor::{Actor, Authentication},
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    identity::{access, invitation, member},
    input::Create,
    resource::{Resource, versioned},
    role::Permission,
    store::{
        Store, Tx, log,
        stored::StoredWord,
        versioned::{self, Expected},
    },
};

versioned!(ApiKey, IssuedApiKey: api_key);

impl Resource for ApiKey {
    const ENTITY: &'static str = "api_key";
    const READ: Permission = Permission::ManageApiKeys;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Deleted];
}

/// Makes a key that acts for the actor. The token is in the answer, and nowhere else.
pub async fn create(
    store: WriteOnce<'_, IssuedApiKey>,
    actor: &Actor,
    new: Create<ApiKeyInput>,
) -> Result<IssuedApiKey> {
    let secret = access::tenant_token(store.random(), PREFIX, actor.organization_id);
    let token = secret.reveal().to_owned();
    let actor = actor.clone();
    let token_hash = secret.hash();
    store
        .write(async move |tx| {
            let ApiKeyInput { name, role, expires_at, requests_per_minute } = new.input.clone();
            member::ensure_may_grant(&actor, role)?;
            let member_id = actor.member_id.ok_or_else(|| {
                Error::forbidden(
                    "no_member",
                    "an API key acts for a member, but the caller is not a member",
                )
            })?;
            if expires_at.is_some_and(|at| at <= tx.now()) {
                return Err(Error::invalid("/expires_at", "past", "must be in the future"));
            }
            let expires_at = within_own(&actor, expires_at)?;
            let requests_per_minute = within_own_limit(&actor, requests_per_minute)?;
            lock_own_key(tx, &actor).await?;
            let now = tx.now().fixed_offset();
            let row = api_key::ActiveModel {
                organization_id: Set(actor.organization_id),
                id: Set(log::new_id::<ApiKey>(tx, actor.organization_id, new.id).await?),
                member_id: Set(member_id),
                name: Set(name),
                role: Set(role.as_str().to_owned()),
                token_hash: Set(token_hash.clone()),
                expires_at: Set(expires_at.map(|at| at.trunc_subsecs(6).fixed_offset())),
                created_by_api_key_id: Set(actor.authentication.api_key_id()),
                requests_per_minute: Set(requests_per_minute),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            };
            let api_key = versioned::insert(tx, &actor, row, ApiKey::try_from).await?;
            Ok(IssuedApiKey { token: token.clone(), api_key })
        })
        .await
}

/// When what an actor makes may end: a key makes none that outlives it.
fn within_own(actor: &Actor, asked: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>> {
    let Authentication::ApiKey { expires_at: Some(own), .. } = actor.authentication else {
        return Ok(asked);
    };
    if asked.is_some_and(|at| at > own) {
        let detail = "an API key cannot create a key that expires later than itself";
        return Err(Error::forbidden("expiry_beyond_own", detail));
    }
    Ok(asked.or(Some(own)))
}

/// How many requests in a minute what an actor makes may send: a key makes none that may send more than itself.
fn within_own_limit(actor: &Actor, asked: Option<i64>) -> Result<Option<i64>> {
    let Authentication::ApiKey { requests_per_minute: Some(own), .. } = actor.authentication else {
        return Ok(asked);
    };
    let own = i64::from(own);
    if asked.is_some_and(|asked| asked > own) {
        let detail = "an API key cannot create a key with a higher limit than its own";
        return Err(Error::forbidden("limit_above_own", detail));
    }
    Ok(asked.or(Some(own)))
}

/// Where a key makes something that ends with it: holds it, so that it does not end meanwhile.
///
/// # Errors
/// [`Error::Unauthenticated`] where it has just ended.
pub(crate) async fn lock_own_key(tx: &Tx, actor: &Actor) -> Result<()> {
    let Some(id) = actor.authentication.api_key_id() else { return Ok(()) };
    if versioned::lock_by_id::<api_key::Entity>(tx, actor.organization_id, id).await? {
        return Ok(());
    }
    Err(Error::Unauthenticated("the token is not valid"))
}

/// Ends a key, at once, with all that it has made to let others in.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let row = versioned::get::<api_key::Entity>(tx, actor.organization_id, id).await?;
            let current = ApiKey::try_from(row.clone())?;
            expected.check(row.version, &current)?;
            end(tx, &actor, vec![row]).await
        })
        .await
}

/// Ends every key that acts for a member.
pub(crate) async fn end_of_member(tx: &Tx, actor: &Actor, member_id: Uuid) -> Result<()> {
    let rows = repository::of_member(tx, actor.organization_id, member_id).await?;
    end(tx, actor, rows).await
}

/// Ends keys, those that they have made, those that these have made, and what all of them have made besides.
async fn end(tx: &Tx, actor: &Actor, mut rows: Vec<api_key::Model>) -> Result<()> {
    let organization_id = actor.organization_id;
    let mut ended = HashSet::new();
    while !rows.is_empty() {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        for row in &rows {
            versioned::delete(tx, actor, row, &ApiKey::try_from(row.clone())?).await?;
        }
        invitation::end_of_api_keys(tx, actor, &ids).await?;
        let made = repository::made_by(tx, organization_id, &ids).await?;
        ended.extend(ids);
        rows = made.into_iter().filter(|row| !ended.contains(&row.id)).collect();
    }
    tx.invalidate_access();
    Ok(())
}
