//! Routes of categories, expenses, budgets and the ledger.

pub(crate) mod account;
pub(crate) mod budget;
pub(crate) mod category;
pub(crate) mod expense;
pub(crate) mod journal_entry;
