//! How many requests a caller may send. Who has a valid token is counted by it, wherever they are: a user by role, the
//! API keys of a member together, and a key that has a limit of its own by that as well. All others are counted by the
//! network that they come from; logins are not, of which those that fail are counted
//! ([`service::identity::throttle`]): nobody keeps others in the same network from logging in.

mod fields;
mod settings;

use std::time::Duration;

use actix_web::http::{Method, header::HeaderValue};
use service::{
    Actor,
    actor::Authentication,
    identity::{access::Principal, throttle::Network},
    limit::{Counts, Limiter, Policy, Quota, Standing, Subject},
    role::Role,
    store::stored::StoredWord,
};
use uuid::Uuid;

pub(crate) use fields::{Fields, RATE_LIMIT, RATE_LIMIT_POLICY};
pub use settings::{LimitSettings, RoleLimits};

use crate::problem::Failure;
use settings::ROLES;

/// How many networks are counted at most: those that ask least go first.
const MAX_NETWORKS: u64 = 50_000;
/// How many users and keys are counted at most.
const MAX_CALLERS: u64 = 50_000;

/// The limits of requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RequestLimits {
    limiter: Limiter,
    anonymous: Option<Limited>,
    reads: ByRole,
    writes: ByRole,
    keys: Policy,
}

/// A policy with its quota, and how answers say it.
#[derive(Debug, Clone)]
struct Limited {
    policy: Policy,
    quota: Quota,
    field: HeaderValue,
}

impl Limited {
    fn of(policy: &Policy, quota: Option<Quota>) -> Option<Self> {
        let quota = quota?;
        let field = HeaderValue::try_from(fields::policy(policy.name(), quota)).ok()?;
        Some(Self { policy: policy.clone(), quota, field })
    }
}

/// One policy, of which each role has its quota.
#[derive(Debug, Clone)]
struct ByRole {
    outside: Option<Limited>,
    of: [Option<Limited>; ROLES],
}

impl ByRole {
    fn of(name: &'static str, limits: &RoleLimits) -> Self {
        let roles = Role::ALL.iter().copied().map(Some).chain([None]);
        let longest = roles.filter_map(|role| limits.quota(role)).map(Quota::seconds).max();
        let policy = policy(name, MAX_CALLERS, longest);
        let of = |role| Limited::of(&policy, limits.quota(role));
        let mut roles = Role::ALL.iter().copied();
        Self { outside: of(None), of: [(); ROLES].map(|()| of(roles.next())) }
    }

    fn limited(&self, role: Option<Role>) -> Option<&Limited> {
        role.map_or(&self.outside, |role| &self.of[role as usize]).as_ref()
    }
}

fn policy(name: &'static str, capacity: u64, seconds: Option<u32>) -> Policy {
    let window = Duration::from_secs(seconds.unwrap_or(1).into());
    Policy::new(name, Counts::Requests, capacity, window)
}

/// Who asks in an organization, or outside of all.
#[derive(Debug, Clone, Copy)]
struct Caller {
    subject: Subject,
    role: Option<Role>,
    /// The API key, and how many requests it may send in a minute, if it has a limit of its own.
    key: Option<(Uuid, u32)>,
}

impl Caller {
    fn of(principal: &Principal, actor: Option<&Actor>) -> Self {
        let actor = match principal {
            Principal::Key(actor) => Some(actor),
            Principal::User { .. } => actor,
        };
        let subject = match principal {
            Principal::User { user_id, .. } => Subject::from(*user_id),
            Principal::Key(actor) => {
                Subject::from(actor.member_id.unwrap_or(actor.organization_id))
            }
        };
        let key = actor.and_then(|actor| match actor.authentication {
            Authentication::ApiKey { id, requests_per_minute, .. } => {
                requests_per_minute.map(|requests| (id, requests))
            }
            Authentication::Session | Authentication::Internal => None,
        });
        Self { subject, role: actor.map(|actor| actor.role), key }
    }
}

impl RequestLimits {
    /// Those of the settings.
    pub fn new(limiter: Limiter, settings: &LimitSettings) -> Self {
        let anonymous = settings.limit_anonymous.0;
        let networks = policy("anonymous", MAX_NETWORKS, anonymous.map(Quota::seconds));
        Self {
            limiter,
            anonymous: Limited::of(&networks, anonymous),
            reads: ByRole::of("reads", &settings.limit_reads),
            writes: ByRole::of("writes", &settings.limit_writes),
            keys: policy("key", MAX_CALLERS, Some(KEY_WINDOW)),
        }
    }

    /// Counts a request without a valid token.
    pub(crate) async fn count_network(&self, network: Network) -> Result<Fields, Failure> {
        let Some(limited) = &self.anonymous else { return Ok(Fields::default()) };
        let standing = self.take(limited, network.subject()).await?;
        Ok(Fields::of(limited.field.clone(), &standing))
    }

    /// Counts a request of somebody's, in an organization where they are somebody.
    pub(crate) async fn count_caller(
        &self,
        principal: &Principal,
        actor: Option<&Actor>,
        method: &Method,
    ) -> Result<Fields, Failure> {
        let caller = Caller::of(principal, actor);
        // A key that is refused takes nothing from the other keys of its member.
        let of_key = match caller.key {
            Some((id, requests)) => self.count_key(id, requests).await?,
            None => None,
        };
        let limits = if method.is_safe() { &self.reads } else { &self.writes };
        let Some(limited) = limits.limited(caller.role) else {
            return Ok(of_key.map_or_else(Fields::default, |standing| Fields::of_one(&standing)));
        };
        // Each role of a user's is counted apart: they may have another in another organization.
        let subject = caller.subject.in_part(caller.role.map_or(0, |role| role as u8 + 1));
        let standing = self.take(limited, subject).await?;
        Ok(match of_key {
            Some(of_key) => Fields::of_both(&of_key, &standing),
            None => Fields::of(limited.field.clone(), &standing),
        })
    }

    async fn count_key(&self, id: Uuid, requests: u32) -> Result<Option<Standing>, Failure> {
        let Some(quota) = Quota::new(requests, KEY_WINDOW) else { return Ok(None) };
        let standing = self.limiter.take(&self.keys, Subject::from(id), quota).await;
        Ok(Some(standing.map_err(Failure::too_many_requests)?))
    }

    async fn take(&self, limited: &Limited, subject: Subject) -> Result<Standing, Failure> {
        self.limiter
            .take(&limited.policy, subject, limited.quota)
            .await
            .map_err(Failure::too_many_requests)
    }
}

/// The window of the limit of an API key, in seconds.
const KEY_WINDOW: u32 = 60;
