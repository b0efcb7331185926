use chrono::SubsecRound;
use entity::api_key;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{ApiKey, ApiKeyInput, IssuedApiKey, PREFIX, repository};
use crate::{
    access,
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    input::Create,
    member,
    resource::{Readable, Resource},
    role::Permission,
    store::{
        Store, Tx, log,
        page::{Page, PageQuery},
        versioned,
        versioned::Expected,
    },
};

impl Resource for ApiKey {
    const ENTITY: &'static str = "api_key";
    const READ: Permission = Permission::ManageApiKeys;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Deleted];
}

impl Readable for ApiKey {
    type Query = PageQuery;

    /// The key, without its token.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let row =
            versioned::get::<api_key::Entity>(store.read(), actor.organization_id, id).await?;
        Ok(row.into())
    }

    /// The keys, the newest first.
    async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, page).await?;
        Ok(page.map(Self::from))
    }
}

/// Makes a key that acts for the actor. The token is in the answer, and nowhere else.
pub async fn create(
    store: &Store,
    actor: &Actor,
    new: Create<ApiKeyInput>,
) -> Result<IssuedApiKey> {
    let secret = access::tenant_token(store.random(), PREFIX, actor.organization_id);
    let token = secret.reveal().to_owned();
    store
        .write((actor.clone(), new, secret.hash(), token), |tx, (actor, new, token_hash, token)| {
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
                    id: Set(log::new_id::<ApiKey>(tx, actor.organization_id, new.id).await?),
                    member_id: Set(member_id),
                    name: Set(name),
                    role: Set(role.as_str().to_owned()),
                    token_hash: Set(token_hash.clone()),
                    expires_at: Set(expires_at.map(|at| at.trunc_subsecs(6).fixed_offset())),
                    created_at: Set(now),
                    updated_at: Set(now),
                    ..Default::default()
                };
                let api_key = versioned::insert(tx, actor, row, ApiKey::from).await?;
                Ok(IssuedApiKey { token: token.clone(), api_key })
            })
        })
        .await
}

/// Ends a key, at once.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    store
        .write((actor.clone(), id, expected), |tx, (actor, id, expected)| {
            Box::pin(async move {
                let row = versioned::get::<api_key::Entity>(tx, actor.organization_id, *id).await?;
                let current = ApiKey::from(row.clone());
                expected.check(row.version, &current)?;
                tx.revoke();
                versioned::delete(tx, actor, &row, &current).await
            })
        })
        .await
}

/// Ends every key that acts for a member.
pub(crate) async fn end_of(tx: &Tx, actor: &Actor, member_id: Uuid) -> Result<()> {
    for row in repository::of_member(tx, actor.organization_id, member_id).await? {
        let current = ApiKey::from(row.clone());
        versioned::delete(tx, actor, &row, &current).await?;
    }
    tx.revoke();
    Ok(())
}
