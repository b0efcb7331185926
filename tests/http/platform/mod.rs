//! What holds whatever a request is about: pages, retries, events, limits, clocks, operations.

mod away;
mod cache;
mod canonical;
mod clocks;
mod concurrent;
mod documents;
mod dropped;
mod event;
mod exposition;
mod growth;
mod idempotency;
mod limits;
mod nodes;
mod operations;
mod paging;
mod protocol;
mod purge;
mod rates;
mod releases;
mod statements;
mod tables;
mod upgrade;
mod work;
