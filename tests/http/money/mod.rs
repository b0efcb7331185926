//! Money: categories, budgets, expenses and their import, the ledger, payouts.

mod budget;
mod category;
mod expense;
mod import;
mod ledger;
mod payout;
