//! What the store promises, on every database.

// A test that cannot go on has failed: there is nothing better to do than to panic.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod classes;
mod clock;
mod commit_answer;
mod concurrent;
mod distribution;
mod doctor;
mod documents;
mod duplicates;
#[cfg(unix)]
mod failover;
mod group;
mod lease;
mod ledger;
mod limits;
mod log;
mod migrations;
mod nodes;
#[cfg(unix)]
mod pooler;
mod purge;
#[cfg(unix)]
mod replica;
mod savepoint;
mod sqlite;
