//! The HTTP interface of steward, its OpenAPI document, and the `steward` command.
//!
//! # Promises
//!
//! - A handler of an organization's data has the permission that it needs as a type in its signature
//!   ([`permission`]), and its extractors check it before the handler runs.
//! - Every error of the service becomes a problem document (RFC 9457) in one place, [`problem`].
//! - The answer that shows a versioned resource carries its version as an ETag ([`response`]).
//! - A POST with an `Idempotency-Key` is done once ([`extract::Idempotent`]).
//! - The OpenAPI document is made from the routes and types that serve ([`openapi`]).
//! - The crate contains no rule of the domain and no query: it calls [`service`].
//!
//! # Modules
//!
//! | group | modules |
//! |---|---|
//! | the server | [`app`], [`state`], [`routes`], [`shutdown`] |
//! | a request coming in | [`observe`], `span`, `paths`, [`connections`], [`intake`], [`extract`], [`permission`] |
//! | how often one comes | [`limit`] |
//! | an answer on its way out | [`response`], `table`, `computed`, `represent`, [`cors`], [`problem`], [`stream`] |
//! | standard routes | `resource`: create, list, read, history, revert, change, remove, … |
//! | routes of each aggregate | a file with its name, such as `expense` and `task` |
//! | health, metrics, traces, the state of the database | `operations`, [`prometheus`], `otlp` |
//! | the command line | [`cli`], [`config`] |
//! | the document | [`openapi`] |
//!
//! An aggregate's file registers its standard routes, each with its permission, and has its other
//! handlers beside them.
//!
//! # Where to begin
//!
//! `category` has standard routes alone, and `account` handlers of its own as well. `resource` explains
//! the standard routes. docs/architecture.md follows one request through the crates, and docs/api.md
//! describes what all operations have in common.

// They panic where nobody reads: `cli::print` does not.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod app;
pub mod cli;
pub mod config;
pub mod connections;
pub mod cors;
pub mod extract;
pub mod intake;
pub mod limit;
pub mod observe;
pub mod openapi;
pub mod permission;
pub mod problem;
pub mod prometheus;
pub mod response;
pub mod routes;
pub mod shutdown;
pub mod state;
pub mod stream;

mod attachment;
mod attempt;
mod automation;
mod computed;
mod document;
mod event;
mod identity;
mod import;
mod influx;
mod meter;
mod money;
mod operations;
mod otlp;
mod paths;
mod report;
mod represent;
mod resource;
mod saga;
mod span;
mod sync;
mod table;
mod work;
