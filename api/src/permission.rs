//! Permissions as types: a handler that takes a [`Require<RecordExpenses>`] cannot be reached
//! without. The table of `service/platform/src/role.rs` makes them.
//!
//! [`Require<RecordExpenses>`]: crate::extract::Require

pub use service::role::{PermissionType, permission::*};
