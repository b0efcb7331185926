//! What clients see, on every database.

mod api_key;
mod approval;
mod budget;
mod category;
mod expense;
mod invitation;
mod member;
mod registration;
mod session;
