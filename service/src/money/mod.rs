//! Categories, expenses, budgets and the ledger.

pub mod account;
pub mod budget;
pub mod category;
pub mod expense;
pub mod journal_entry;
