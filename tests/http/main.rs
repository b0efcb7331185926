//! What clients see, on every database.

mod differential;
mod documents;
mod guards;
mod statements;

mod api_key;
mod approval;
mod batch;
mod budget;
mod category;
mod expense;
mod expense_input;
mod expense_list;
mod invitation;
mod member;
mod registration;
mod session;
mod spending;
