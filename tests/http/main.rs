//! What clients see, on every database.

mod differential;
mod documents;
mod guards;
mod statements;

mod expense;
