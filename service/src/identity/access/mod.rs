//! Who is asking, and what they may do: remembered for a few seconds, and forgotten at once when a
//! session, a key or a role ends.
//!
//! Everything is remembered together with the count of revocations at the moment before it was read
//! ([`crate::store::Tx::invalidate_access`]); once that count has moved on, it no longer holds. So
//! a revocation needs to know nothing of what it revokes. Each request asks for the count anew, so that
//! what one node has answered holds for the next request to another ([`Store::revocations`]).

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use uuid::Uuid;

use crate::{
    actor::{Actor, Authentication, Author},
    cache,
    error::{Error, Result},
    identity::{api_key, member, organization, session, user},
    random::{Random, Secret},
    role::Role,
    store::{Revocations, Store, stored},
};

const UNKNOWN: Error = Error::Unauthenticated("the token is not valid");

/// How many callers are remembered at most.
const CAPACITY: u64 = 10_000;
/// Where they are remembered, and nowhere else: what somebody may do is not for another program to write.
const LAYER: &str = "memory";

/// Someone who has shown a token.
#[derive(Debug, Clone)]
pub enum Principal {
    /// A user in a session.
    User {
        /// The user.
        user_id: Uuid,
        /// The session.
        session_id: Uuid,
    },
    /// A program with an API key.
    Key(Actor),
}

/// A principal, as of the moment at which they asked.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Who they are.
    pub principal: Principal,
    revocations: Option<Revocations>,
}

/// A cache of who is asking, and of what they may do.
#[derive(Debug, Clone)]
pub struct AccessCache {
    store: Store,
    principals: Cache<String, Cached<Principal>>,
    actors: Cache<(Uuid, Uuid), Cached<Actor>>,
}

/// Something that was true when it was read.
#[derive(Debug, Clone)]
struct Cached<T> {
    value: T,
    revocations: Revocations,
    ends_at: Option<DateTime<Utc>>,
}

impl AccessCache {
    /// A cache that remembers for at most `ttl`.
    pub fn new(store: Store, ttl: Duration) -> Self {
        Self {
            store,
            principals: Cache::builder().max_capacity(CAPACITY).time_to_live(ttl).build(),
            actors: Cache::builder().max_capacity(CAPACITY).time_to_live(ttl).build(),
        }
    }

    /// Who shows this token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the token opens nothing, or no longer.
    pub async fn principal(&self, token: &Secret) -> Result<Identity> {
        let hash = token.hash();
        let revocations = self.store.revocations().await?;
        if let Some(value) = self.valid("principal", self.principals.get(&hash), revocations) {
            return Ok(Identity { principal: value, revocations });
        }
        let (value, ends_at) = self.look_up(token, &hash).await?;
        if !self.is_current(ends_at) {
            return Err(Error::Unauthenticated("the token has expired"));
        }
        // Something may have been revoked while this was read: then it does not hold any
        // longer for those who come later, but it was true when this request came.
        if let Some(revocations) = revocations {
            self.principals.insert(hash, Cached { value: value.clone(), revocations, ends_at });
        }
        Ok(Identity { principal: value, revocations })
    }

    /// What they are in an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] where they are nothing there, as if there were no such organization.
    pub async fn actor(&self, identity: &Identity, organization_id: Uuid) -> Result<Actor> {
        let Identity { principal, revocations } = identity;
        let user_id = match principal {
            Principal::Key(actor) if actor.organization_id == organization_id => {
                return Ok(actor.clone());
            }
            Principal::Key(_) => return Err(Error::NotFound("organization")),
            Principal::User { user_id, .. } => *user_id,
        };
        let key = (user_id, organization_id);
        if let Some(value) = self.valid("role", self.actors.get(&key), *revocations) {
            return Ok(value);
        }
        let connection = self.store.read();
        let member = member::repository::of_user(connection, organization_id, user_id).await?;
        let member = member.filter(|member| member.active);
        let value = self.actor_of(member.ok_or(Error::NotFound("organization"))?).await?;
        if let Some(revocations) = *revocations {
            self.actors.insert(key, Cached { value: value.clone(), revocations, ends_at: None });
        }
        Ok(value)
    }

    /// What a cache has, if it still holds; counted, either way.
    fn valid<T>(
        &self,
        entity: &'static str,
        cached: Option<Cached<T>>,
        revocations: Option<Revocations>,
    ) -> Option<T> {
        let valid = cached
            .filter(|it| Some(it.revocations) == revocations && self.is_current(it.ends_at))
            .map(|it| it.value);
        cache::count(LAYER, entity, valid.is_some());
        valid
    }

    fn is_current(&self, ends_at: Option<DateTime<Utc>>) -> bool {
        ends_at.is_none_or(|end| end > self.store.now())
    }

    async fn look_up(
        &self,
        token: &Secret,
        hash: &str,
    ) -> Result<(Principal, Option<DateTime<Utc>>)> {
        let connection = self.store.read();
        let Some(organization_id) = tenant_of(token, api_key::PREFIX) else {
            let row = session::repository::by_token(connection, hash).await?.ok_or(UNKNOWN)?;
            self.refuse_disabled(row.user_id).await?;
            let principal = Principal::User { user_id: row.user_id, session_id: row.id };
            return Ok((principal, Some(row.expires_at.to_utc())));
        };
        let key = api_key::repository::by_token(connection, organization_id, hash).await?;
        let key = key.ok_or(UNKNOWN)?;
        let member = member::repository::get(connection, organization_id, key.member_id).await?;
        if !member.active {
            return Err(UNKNOWN);
        }
        // The key of a person who is disabled rests with them.
        if let Some(user_id) = member.user_id {
            self.refuse_disabled(user_id).await?;
        }
        let mut actor = self.actor_of(member).await?;
        actor.role =
            actor.role.min(stored::word(entity::api_key::Column::Role, key.id, &key.role)?);
        actor.author = Author::ApiKey(key.id);
        let expires_at = key.expires_at.map(|at| at.to_utc());
        let requests_per_minute = api_key::requests_per_minute(&key)?;
        actor.authentication =
            Authentication::ApiKey { id: key.id, expires_at, requests_per_minute };
        Ok((Principal::Key(actor), expires_at))
    }

    async fn refuse_disabled(&self, user_id: Uuid) -> Result<()> {
        let user = user::repository::get(self.store.read(), user_id).await?;
        if user.disabled_at.is_some() { Err(UNKNOWN) } else { Ok(()) }
    }

    /// A member in person.
    async fn actor_of(&self, member: entity::member::Model) -> Result<Actor> {
        let organization_id = member.organization_id;
        let row = organization::repository::get(self.store.read(), organization_id).await?;
        Ok(Actor {
            organization_id,
            role: stored::word(entity::member::Column::Role, member.id, &member.role)?,
            member_id: Some(member.id),
            settings: Arc::new((&row).try_into()?),
            authentication: Authentication::Session,
            author: Author::Member(member.id),
            request_id: None,
        })
    }
}

/// A token that names its organization, so that its row is found under that organization's key.
pub(crate) fn tenant_token(random: &Random, prefix: &str, organization_id: Uuid) -> Secret {
    random.secret().prefixed(&format!("{prefix}{}_", organization_id.simple()))
}

/// The organization that a token names.
pub(crate) fn tenant_of(token: &Secret, prefix: &str) -> Option<Uuid> {
    let rest = token.reveal().strip_prefix(prefix)?;
    Uuid::try_parse(rest.split_once('_')?.0).ok()
}

/// The operator, who holds the database itself: what the command line acts as.
///
/// # Errors
/// [`Error::NotFound`] where there is no such organization.
pub async fn operator(
    store: &Store,
    organization_id: Uuid,
    member_id: Option<Uuid>,
) -> Result<Actor> {
    let row = organization::repository::get(store.read(), organization_id).await?;
    if let Some(id) = member_id {
        member::repository::get(store.read(), organization_id, id).await?;
    }
    Ok(Actor {
        organization_id,
        role: Role::Owner,
        member_id,
        settings: Arc::new((&row).try_into()?),
        authentication: Authentication::Internal,
        author: Author::Operator,
        request_id: None,
    })
}
