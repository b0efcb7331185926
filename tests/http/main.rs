//! What clients see, on every database.

mod expense;
