//! People: users and their sessions, members, invitations, API keys.

mod api_key;
mod currency;
mod guessing;
mod invitation;
mod member;
mod offboarding;
mod rate;
mod registration;
mod session;
mod strangers;
