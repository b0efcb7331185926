//! steward's tables. `tables` is written by `sea-orm-cli` from the migrated schema (`just entities`)
//! and never by hand; `traits` says which tables belong to an organization and which are versioned, and `rows`
//! how they are read.

mod rows;
#[allow(missing_docs, clippy::all)]
mod tables;
mod traits;

pub use rows::Positional;
pub use tables::*;
pub use traits::{Identified, Owned, VERSIONED_TABLES, Versioned};
