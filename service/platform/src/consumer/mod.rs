//! Consumers: what steward does about what has happened.
//!
//! A consumer is a name, the kinds of events that it wants, a function, and a line in `catalogue::CONSUMERS`. Each
//! organization's events reach it in their order. How far it has got is written in the transaction of
//! its effect, under a lease: so whatever is killed when, each event has its effect once.
//! docs/events.md says how to write one.

pub mod lag;
mod parked;
mod repository;
mod worker;

use std::collections::HashSet;

use entity::event;
use futures_util::future::BoxFuture;
use uuid::Uuid;

pub use parked::{ParkedEvent, parked, retry, retry_all};
pub use worker::Consumers;

use crate::{
    actor::Actor,
    error::Result,
    store::{Connections, Tx},
};

/// Where a consumer begins that is new to an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the first event of every log.
    Beginning,
    /// After what is in the logs by then. The logs of later organizations it reads as a whole.
    End,
}

/// What a consumer does about some events of an organization, in their order: in the transaction in
/// which its position moves, and nothing outside of the database. It may run again from the start; where
/// it fails, it is given the same events one at a time.
pub type React = for<'a> fn(&'a Tx, &'a Actor, &'a [event::Model]) -> BoxFuture<'a, Result<()>>;

/// Of some organizations, those where anything can be relevant to the consumer as things stand:
/// over the events of the others it goes at once.
pub type RelevantTo =
    for<'a> fn(&'a Connections, &'a [Uuid]) -> BoxFuture<'a, Result<HashSet<Uuid>>>;

/// Something that reacts to events.
#[derive(Debug, Clone, Copy)]
pub struct Consumer {
    /// Its name. Under another one it is another consumer, and starts anew.
    pub name: &'static str,
    /// What it wants: kinds (`budget.updated`), or all that happens to a kind of resource
    /// (`expense`).
    pub kinds: &'static [&'static str],
    /// Where it begins.
    pub start: Start,
    /// In which organizations it has anything to do.
    pub relevant_to: RelevantTo,
    /// What it does.
    pub react: React,
}
