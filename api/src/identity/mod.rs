//! Routes of users, sessions, organizations, members, invitations and API keys.

pub(crate) mod api_key;
pub(crate) mod invitation;
pub(crate) mod member;
pub(crate) mod organization;
pub(crate) mod rate;
pub(crate) mod session;
pub(crate) mod user;
