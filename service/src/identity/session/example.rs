use super::{NewSession, Session};
use crate::{example, identity::user::User};

impl NewSession {
    pub(super) fn example() -> Self {
        Self {
            id: example::SESSION,
            token: "stw_s_EXAMPLE".to_owned(),
            expires_at: example::at(30 * 24),
            user: User::example(),
        }
    }
}

impl Session {
    pub(super) fn example() -> Self {
        Self {
            id: example::SESSION,
            current: true,
            user_agent: example::some("steward-app/1.4"),
            created_at: example::at(7),
            expires_at: example::at(30 * 24),
        }
    }
}
