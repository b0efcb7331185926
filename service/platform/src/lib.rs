//! What steward is built on and another product would need as well: the store, the event log, work in the
//! background, and what they use. It knows the schema and the tenants, and names no aggregate: what the domain
//! has, it hands in ([`store::Catalogue`], [`resource::Descriptor`], [`background::Work`]).
//!
//! # Modules
//!
//! | group | modules |
//! |---|---|
//! | who acts, and what they may do | [`actor`], [`role`], [`tenant`] |
//! | what resources share | [`resource`], [`input`], [`outcome`], [`idempotency`], [`error`] |
//! | values | [`text`], [`amount`], [`zone`], [`json`], [`details`] |
//! | the event log and what follows from it | [`event`], [`consumer`] |
//! | work in the background | [`background`], [`lease`], [`liveness`], [`saga`], [`due`] |
//! | what operators see | [`measure`], [`doctor`] |
//! | files of CSV that are read, and tables that are written | [`csv`], [`spreadsheet`] |
//! | what the examples of the OpenAPI document have in common | [`example`] |
//! | encryption and outgoing requests | [`seal`], [`outbound`] |
//! | the time, randomness and faults, which are handed in | [`clock`], [`random`], [`fault`] |
//! | what is seen of it in traces | [`trace`] |
//! | the database | [`store`] |
//! | the bytes of files | [`objects`] |
//! | how often something may be done | [`limit`] |
//! | what was computed, and what nodes share besides the database | [`cache`], [`redis`] |
//!
//! `service` names these modules as its own: no other crate uses this one.

pub mod actor;
pub mod amount;
pub mod background;
pub mod backoff;
pub mod cache;
pub mod clock;
pub mod consumer;
pub mod csv;
pub mod details;
pub mod doctor;
pub mod due;
pub mod error;
pub mod event;
pub mod example;
pub mod fault;
pub mod geo;
pub mod idempotency;
pub mod input;
pub mod json;
pub mod lease;
pub mod limit;
pub mod liveness;
pub mod measure;
pub mod number;
pub mod objects;
pub mod outbound;
pub mod outcome;
pub mod random;
pub mod redis;
pub mod resource;
pub mod role;
pub mod saga;
pub mod seal;
pub mod spreadsheet;
pub mod store;
pub mod tenant;
pub mod text;
pub mod trace;
pub mod zone;
