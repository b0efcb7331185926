//! The tables of steward, as SeaORM entities.
//!
//! # Promises
//!
//! - `tables` is what `sea-orm-cli` generates from the migrated schema (`just entities`). It is the
//!   same for SQLite and for PostgreSQL, and `just entities-check` compares both with it. Nobody
//!   edits it.
//! - `generated` is what follows from `tables` (`just entities`, too): the columns of each table in their
//!   order, which tables have an id, which belong to one organization, which are versioned, and in which
//!   order the rows of an organization can be removed. The compiler holds the lists of columns
//!   against the entities.
//! - `traits` says which tables are parts of a row of another table.
//! - The crate has no queries and no rules. It depends on no other crate of the workspace.
//!
//! # Modules
//!
//! | module | content |
//! |---|---|
//! | `tables` | one module a table, exported from here: `entity::expense::Entity` |
//! | `traits` | [`Identified`], [`TenantEntity`], [`Versioned`], and [`Child`] with the tables it applies to |
//! | `rows` | [`OrderedColumns`]: the columns of a table in the order in which rows are decoded |
//! | `generated` | the tables that the other traits apply to, and their columns |
//!
//! # Where to begin
//!
//! A new table comes from a migration (the crate `migration`). `just entities` writes its module and
//! its lines in `generated` (CONTRIBUTING.md).

mod generated;
mod rows;
#[allow(missing_docs, clippy::all)]
mod tables;
mod traits;

pub use generated::VERSIONED_TABLES;
pub use rows::OrderedColumns;
pub use tables::*;
pub use traits::{Child, Identified, TenantEntity, Versioned};
