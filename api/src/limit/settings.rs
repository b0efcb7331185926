//! The settings of limits.

use std::str::FromStr;

use clap::Args;
use service::{
    identity::throttle,
    limit::{Limit, Quota},
    role::Role,
    store::stored::StoredWord,
};

/// How often something may be done: a count and a window, as 600/1m, or off.
#[derive(Debug, Clone, Copy, Args)]
pub struct LimitSettings {
    /// How many reads a user may send, and all API keys of a member together: as 600/1m, or by role,
    /// 6000/1m,viewer=600/1m; or off
    ///
    /// All of them may come at once, and then come back evenly within the window. The default is far above what one
    /// client gets answered.
    #[arg(long, env = "STEWARD_LIMIT_READS", default_value = "3000000/1m")]
    pub limit_reads: RoleLimits,

    /// How many requests that change something a user may send, and all API keys of a member together
    #[arg(long, env = "STEWARD_LIMIT_WRITES", default_value = "600000/1m")]
    pub limit_writes: RoleLimits,

    /// How many requests without a valid token may come from one network, logins excepted
    #[arg(long, env = "STEWARD_LIMIT_ANONYMOUS", default_value = "6000/1m")]
    pub limit_anonymous: Limit,

    /// How many attempts to guess the password of one user, or with one invitation, may fail from one network
    #[arg(long, env = "STEWARD_LIMIT_ATTEMPTS", default_value = "5/20s")]
    pub limit_attempts: Limit,

    /// The same in the long run: both limits hold
    #[arg(long, env = "STEWARD_LIMIT_ATTEMPTS_SUSTAINED", default_value = "12/3h")]
    pub limit_attempts_sustained: Limit,

    /// How many attempts may fail from one network, whatever users and invitations they are about
    #[arg(long, env = "STEWARD_LIMIT_NETWORK_ATTEMPTS", default_value = "30/30m")]
    pub limit_network_attempts: Limit,
}

impl LimitSettings {
    /// Those of attempts.
    pub(crate) fn attempts(&self) -> throttle::Limits {
        throttle::Limits {
            attempts: self.limit_attempts,
            attempts_sustained: self.limit_attempts_sustained,
            network_attempts: self.limit_network_attempts,
        }
    }
}

/// How many roles there are.
pub(super) const ROLES: usize = Role::ALL.len();

/// A limit for all, and others for some roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleLimits {
    base: Limit,
    of: [Option<Limit>; ROLES],
}

impl RoleLimits {
    /// The quota of a role, or of those who are in no organization.
    pub fn quota(&self, role: Option<Role>) -> Option<Quota> {
        role.and_then(|role| self.of[role as usize]).unwrap_or(self.base).0
    }
}

impl FromStr for RoleLimits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut base, mut of) = (None, [None; ROLES]);
        for part in text.split(',').map(str::trim) {
            let (role, limit) = match part.split_once('=') {
                Some((role, limit)) => (Some(role), limit),
                None => (None, part),
            };
            let unknown = |_| format!("{} is no role", role.unwrap_or_default());
            let role = role.map(str::parse::<Role>).transpose().map_err(unknown)?;
            let slot = role.map_or(&mut base, |role| &mut of[role as usize]);
            if slot.replace(limit.parse()?).is_some() {
                return Err(format!("{part:?} is a second limit of the same role"));
            }
        }
        let base = base.ok_or("one limit must be without a role: as 6000/1m,viewer=600/1m")?;
        Ok(Self { base, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_limits_of_their_own() {
        let limits: RoleLimits = "60/1m, viewer=6/1m,owner=off".parse().expect("limits");
        let quota = |role| limits.quota(role).map(Quota::count);
        assert_eq!(quota(None), Some(60));
        assert_eq!(quota(Some(Role::Viewer)), Some(6));
        assert_eq!(quota(Some(Role::Admin)), Some(60));
        assert_eq!(quota(Some(Role::Owner)), None);
        let off: RoleLimits = "off".parse().expect("limits");
        assert_eq!(off.quota(Some(Role::Member)), None);
    }

    #[test]
    fn what_is_no_limit_of_roles_is_refused() {
        for text in [
            "",
            "viewer=6/1m",
            "6/1m,king=6/1m",
            "6/1m,7/1m",
            "6/1m,viewer=1/1m,viewer=2/1m",
            "6/1m,viewer",
            "6/1m,viewer=",
            "6/1m,",
            "viewer=owner=6/1m,6/1m",
        ] {
            assert!(text.parse::<RoleLimits>().is_err(), "{text}");
        }
    }
}
