//! Who is who: users, sessions, organizations, members, invitations, API keys, and access.

pub mod access;
pub mod api_key;
pub mod invitation;
pub mod member;
pub mod organization;
pub mod rate;
pub(crate) mod separation_of_duties;
pub mod session;
pub mod throttle;
pub mod user;
