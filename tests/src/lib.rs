//! The harness of the black-box suites: a database of its own for each test, on SQLite always and on
//! PostgreSQL when `TEST_POSTGRES_URL` is set; steward on a port of its own; a client.

// A test that cannot be set up has failed: there is nothing better to do than to panic.
#![allow(clippy::expect_used, clippy::unwrap_used)]

pub mod app;
pub mod citus;
pub mod client;
#[cfg(unix)]
pub mod cluster;
pub mod couchdb;
pub mod crowd;
pub mod database;
pub mod dump;
pub mod dynamodb;
pub mod events;
pub mod exposition;
pub mod indexes;
pub mod log;
pub mod plan;
pub mod program;
pub mod property;
pub mod proxy;
pub mod receiver;
pub mod record;
pub mod redis;
pub mod replica;
pub mod route;
pub mod sample;
pub mod schema;
pub mod session;
pub mod steps;
pub mod table;
pub mod wire;
pub mod work;

pub use app::{App, AppOptions, keyring};
pub use client::{Answer, Client};
pub use couchdb::PouchDbServer;
pub use database::Database;
pub use dynamodb::MotoServer;
pub use events::Events;
pub use program::program;
pub use property::for_all;
pub use receiver::{Message, Receiver, Reply};
pub use record::{Exchange, Record};
pub use redis::{RedisFault, RedisServer};
pub use replica::Replica;
pub use route::Route;
pub use sample::Sample;
pub use session::Session;
pub use steps::{PASSWORD, at, back_off, id};
pub use tests_macros::{each_database, each_lasting_database, on_postgresql};
