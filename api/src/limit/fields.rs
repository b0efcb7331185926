//! The header fields of answers that say what the limits are, and where the client stands
//! (draft-ietf-httpapi-ratelimit-headers-11).

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use service::limit::{Quota, Refused, Standing};

/// The quotas that hold for the request.
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of them.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What an answer says of limits: nothing, where there are none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    policy: Option<HeaderValue>,
    standing: Option<HeaderValue>,
}

impl Fields {
    /// Of one policy.
    pub(super) fn of(policy: HeaderValue, standing: &Standing) -> Self {
        Self { policy: Some(policy), standing: HeaderValue::try_from(left(standing)).ok() }
    }

    /// Of one of which the policy was not written before.
    pub(super) fn of_one(standing: &Standing) -> Self {
        let policy = policy(standing.policy, standing.quota);
        Self {
            policy: HeaderValue::try_from(policy).ok(),
            standing: HeaderValue::try_from(left(standing)).ok(),
        }
    }

    /// Of two.
    pub(super) fn of_both(first: &Standing, second: &Standing) -> Self {
        let policy = |standing: &Standing| policy(standing.policy, standing.quota);
        let both =
            |first: String, second: String| HeaderValue::try_from(first + ", " + &second).ok();
        Self {
            policy: both(policy(first), policy(second)),
            standing: both(left(first), left(second)),
        }
    }

    /// Of the policy that refuses. The time is that of Retry-After.
    pub(crate) fn of_refused(refused: &Refused) -> Self {
        let standing = format!("\"{}\";r=0;t={}", refused.policy, refused.seconds());
        Self {
            policy: HeaderValue::try_from(policy(refused.policy, refused.quota)).ok(),
            standing: HeaderValue::try_from(standing).ok(),
        }
    }

    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let Self { policy, standing } = self;
        let fields = [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, standing)];
        for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            headers.insert(name, value);
        }
    }
}

/// `"reads";q=600;w=60`.
pub(super) fn policy(name: &str, quota: Quota) -> String {
    format!("\"{name}\";q={};w={}", quota.count(), quota.seconds())
}

/// `"reads";r=599;t=1`.
fn left(standing: &Standing) -> String {
    format!("\"{}\";r={};t={}", standing.policy, standing.remaining, standing.seconds())
}
