//! How steward is reached: HTTP with actix-web, its OpenAPI document, and the `steward` command.
//!
//! One file an aggregate: it names the standard routes that it has (`resource`) and adds its own. Each
//! handler is a few lines: the extractors say who asks, in which organization, with which permission, version
//! and body; the service does the work; the answer carries the version as an ETag. docs/architecture.md follows
//! one request through.

pub mod answer;
pub mod app;
pub mod cli;
pub mod config;
pub mod connections;
pub mod extract;
pub mod intake;
pub mod may;
pub mod observe;
pub mod openapi;
pub mod problem;
pub mod routes;
pub mod shutdown;
pub mod state;
pub mod stream;

mod account;
mod api_key;
mod attempt;
mod budget;
mod category;
mod daily_report;
mod event;
mod expense;
mod import;
mod incident;
mod invitation;
mod journal_entry;
mod member;
mod operations;
mod organization;
mod project;
mod rate;
mod report;
mod resource;
mod rule;
mod saga;
mod session;
mod sync;
mod task;
mod time_entry;
mod timecard;
mod user;
mod webhook;
