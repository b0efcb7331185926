//! What clients see, on every database.

mod api_key;
mod approval;
mod batch;
mod budget;
mod category;
mod expense;
mod expense_input;
mod expense_list;
mod import;
mod import_format;
mod invitation;
mod member;
mod registration;
mod session;
mod spending;
