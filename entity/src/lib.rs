//! The tables of steward, as SeaORM entities.
//!
//! # Promises
//!
//! - `tables` is what `sea-orm-cli` generates from the migrated schema (`just entities`). It is the
//!   same for SQLite and for PostgreSQL, and `just entities-check` compares both with it. Nobody
//!   edits it.
//! - `traits` says which tables have an id, which belong to one organization, which are versioned, and
//!   which are parts of a row of another table.
//! - The compiler and a test hold the lists of columns in `rows` against the entities.
//! - The crate has no queries and no rules. It depends on no other crate of the workspace.
//!
//! # Modules
//!
//! | module | content |
//! |---|---|
//! | `tables` | one module a table, exported from here: `entity::expense::Entity` |
//! | `traits` | [`Identified`], [`TenantEntity`], [`Versioned`] and [`Child`], and the tables they apply to |
//! | `rows` | [`OrderedColumns`]: the columns of a table in the order in which rows are decoded |
//!
//! # Where to begin
//!
//! A new table comes from a migration (the crate `migration`). `just entities` writes its module; its
//! lines in `traits` and `rows` are written by hand (CONTRIBUTING.md).

mod rows;
#[allow(missing_docs, clippy::all)]
mod tables;
mod traits;

pub use rows::OrderedColumns;
pub use tables::*;
pub use traits::{Child, Identified, TenantEntity, VERSIONED_TABLES, Versioned};
