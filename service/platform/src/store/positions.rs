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
pub(super) struct FullySequenced(Arc<AtomicBool>);

impl FullySequenced {
    /// Keeps what a transaction has found that is committed.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where the logs end that a transaction has written to.
#[derive(Debug, Clone, Default)]
pub(super) struct LogHeads {
    fully_sequenced: bool,
    logs: HashMap<Uuid, Head>,
}

#[derive(Debug, Clone)]
struct Head {
    position: i64,
    chain: Arc<str>,
    /// Whether the log had none before.
    is_first: bool,
}

impl LogHeads {
    /// Gives the events of a transaction their positions. False, and nothing is done, where others wait before
    /// them.
    pub(super) async fn assign_positions(
        &mut self,
        tx: &Tx,
        fully_sequenced: &FullySequenced,
        events: &mut [event::Model],
    ) -> Result<bool, DbErr> {
        if !self.check_fully_sequenced(tx, fully_sequenced).await? {
            return Ok(false);
        }
        // As the sequencer would: what a transaction has written first may have happened last.
        chain::order(events);
        for event in events {
            let head = self.head(tx, event.organization_id).await?;
            head.position += 1;
            let link = chain::link(&head.chain, head.position, event);
            let previous = mem::replace(&mut head.chain, link.as_str().into());
            event.position = Some(head.position);
            event.previous_chain = Some(previous.to_string());
            event.chain = Some(link);
        }
        Ok(true)
    }

    /// Has the end of a log read, and written as it is.
    pub(super) async fn touch(
        &mut self,
        tx: &Tx,
        fully_sequenced: &FullySequenced,
        log: Uuid,
    ) -> Result<(), DbErr> {
        if self.check_fully_sequenced(tx, fully_sequenced).await? {
            self.head(tx, log).await?;
        }
        Ok(())
    }

    async fn check_fully_sequenced(
        &mut self,
        tx: &Tx,
        known: &FullySequenced,
    ) -> Result<bool, DbErr> {
        if !self.fully_sequenced {
            self.fully_sequenced = known.is_set() || !repository::has_unsequenced(tx).await?;
        }
        Ok(self.fully_sequenced)
    }

    async fn head(&mut self, tx: &Tx, log: Uuid) -> Result<&mut Head, DbErr> {
        Ok(match self.logs.entry(log) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let head = repository::head(tx, log).await?;
                let (position, chain) = repository::head_or_start(head.as_ref());
                let is_first = head.is_none();
                unknown.insert(Head { position, chain: chain.into(), is_first })
            }
        })
    }

    /// Writes where the logs end.
    pub(super) async fn write(&self, tx: &Tx) -> Result<(), DbErr> {
        let written = self.logs.iter().filter(|(_, head)| head.position > 0);
        let (first, moved): (Vec<_>, Vec<_>) = written.partition(|(_, head)| head.is_first);
        let heads = |heads: Vec<(&Uuid, &Head)>| {
            let heads = heads.into_iter().map(|(log, head)| event_head::Model {
                organization_id: *log,
                position: head.position,
                chain: head.chain.to_string(),
            });
            let mut heads: Vec<_> = heads.collect();
            // In one order, so that a run can be repeated.
            heads.sort_unstable_by_key(|head| head.organization_id);
            heads
        };
        repository::insert_heads(tx, heads(first)).await?;
        repository::update_heads(tx, heads(moved)).await
    }

    /// Whether it has found that nothing waits for a position.
    pub(super) fn is_fully_sequenced(&self) -> bool {
        self.fully_sequenced
    }
}
