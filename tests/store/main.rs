//! What the store promises, on every database.

mod concurrent;
mod sqlite;
