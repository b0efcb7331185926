//! What clients see, on every database.

mod api_key;
mod expense;
mod invitation;
mod member;
mod registration;
mod session;
