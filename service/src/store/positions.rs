//! Positions that are given with the events themselves.
//!
//! A position can be given only once nobody can commit an event that ought to have a lower one
//! ([`crate::event::sequencer`]). SQLite has one writer: what it writes next is what is told next, so it
//! gives the positions as it writes, and moves the ends of the logs before it commits.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use entity::{event, event_head};
use sea_orm::DbErr;
use uuid::Uuid;

use super::Tx;
use crate::event::{chain, repository};

/// Whether a log goes on without a gap: none that an older version of steward has written waits for a
/// position. Once it is so, it stays so.
#[derive(Debug, Clone, Default)]
pub(super) struct CaughtUp(Arc<AtomicBool>);

impl CaughtUp {
    /// Keeps what a transaction has found that is committed.
    pub(super) fn keep(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where the logs end that a transaction has written to.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    caught_up: bool,
    logs: HashMap<Uuid, End>,
}

#[derive(Debug, Clone)]
struct End {
    position: i64,
    chain: Arc<str>,
    /// Whether the log had none before.
    is_first: bool,
}

impl Ends {
    /// Gives the events of a transaction their positions. False, and nothing is done, where others wait before
    /// them.
    pub(super) async fn place(
        &mut self,
        tx: &Tx,
        caught_up: &CaughtUp,
        events: &mut [event::Model],
    ) -> Result<bool, DbErr> {
        if !self.catch_up(tx, caught_up).await? {
            return Ok(false);
        }
        // As the sequencer would: what a transaction has written first may have happened last.
        chain::order(events);
        for event in events {
            let end = self.end(tx, event.organization_id).await?;
            end.position += 1;
            let link = chain::link(&end.chain, end.position, event);
            let previous = mem::replace(&mut end.chain, link.as_str().into());
            event.position = Some(end.position);
            event.previous_chain = Some(previous.to_string());
            event.chain = Some(link);
        }
        Ok(true)
    }

    /// Has the end of a log read, and written as it is.
    pub(super) async fn touch(
        &mut self,
        tx: &Tx,
        caught_up: &CaughtUp,
        log: Uuid,
    ) -> Result<(), DbErr> {
        if self.catch_up(tx, caught_up).await? {
            self.end(tx, log).await?;
        }
        Ok(())
    }

    async fn catch_up(&mut self, tx: &Tx, known: &CaughtUp) -> Result<bool, DbErr> {
        if !self.caught_up {
            self.caught_up = known.is_known() || !repository::is_any_waiting(tx).await?;
        }
        Ok(self.caught_up)
    }

    async fn end(&mut self, tx: &Tx, log: Uuid) -> Result<&mut End, DbErr> {
        Ok(match self.logs.entry(log) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let head = repository::head(tx, log).await?;
                let (position, chain) = repository::end_of(head.as_ref());
                let is_first = head.is_none();
                unknown.insert(End { position, chain: chain.into(), is_first })
            }
        })
    }

    /// Writes where the logs end.
    pub(super) async fn write(&self, tx: &Tx) -> Result<(), DbErr> {
        let written = self.logs.iter().filter(|(_, end)| end.position > 0);
        let (first, moved): (Vec<_>, Vec<_>) = written.partition(|(_, end)| end.is_first);
        let heads = |ends: Vec<(&Uuid, &End)>| {
            let heads = ends.into_iter().map(|(log, end)| event_head::Model {
                organization_id: *log,
                position: end.position,
                chain: end.chain.to_string(),
            });
            let mut heads: Vec<_> = heads.collect();
            // In one order, so that a run can be repeated.
            heads.sort_unstable_by_key(|head| head.organization_id);
            heads
        };
        repository::begin_logs(tx, heads(first)).await?;
        repository::move_ends(tx, heads(moved)).await
    }

    /// Whether it has found that nothing waits for a position.
    pub(super) fn are_caught_up(&self) -> bool {
        self.caught_up
    }
}
