//! What others are told once a transaction is committed. A signal only wakes: what there is to know
//! stands in the tables, so that a lost one costs time and nothing else.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::sync::{Notify, watch};

/// What can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Events were written that have no position yet.
    Recorded,
    /// Events were given their positions.
    Sequenced,
    /// Something that somebody may do has changed or ended.
    Revoked,
    /// There is work for those who work in the background.
    Work,
    /// Something was written that another store is to keep.
    Intended,
}

impl Signal {
    pub(super) const ALL: [Self; 5] =
        [Self::Recorded, Self::Sequenced, Self::Revoked, Self::Work, Self::Intended];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Sequenced => "sequenced",
            Self::Revoked => "revoked",
            Self::Work => "work",
            Self::Intended => "intended",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some signals at once.
#[derive(Debug, Default)]
pub(super) struct Raised(AtomicU8);

impl Raised {
    pub(super) fn add(&self, signal: Signal) {
        self.0.fetch_or(signal.bit(), Ordering::SeqCst);
    }

    pub(super) fn contains(&self, signal: Signal) -> bool {
        self.0.load(Ordering::SeqCst) & signal.bit() != 0
    }

    /// Takes them all.
    pub(super) fn take(&self) -> impl Iterator<Item = Signal> + use<> {
        let bits = self.0.swap(0, Ordering::SeqCst);
        Signal::ALL.into_iter().filter(move |signal| bits & signal.bit() != 0)
    }
}

/// The signals of one node, and those that it received from others.
#[derive(Debug, Clone)]
pub(super) struct Signals {
    counts: Arc<[watch::Sender<u64>; 5]>,
    outgoing: Arc<(Raised, Notify)>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            counts: Arc::new(std::array::from_fn(|_| watch::Sender::new(0))),
            outgoing: Arc::default(),
        }
    }
}

impl Signals {
    /// Tells this node, and the others.
    pub(super) fn raise(&self, signal: Signal) {
        self.receive(signal);
        self.outgoing.0.add(signal);
        self.outgoing.1.notify_one();
    }

    /// Tells this node what another has said.
    pub(super) fn receive(&self, signal: Signal) {
        self.counts[signal as usize].send_modify(|count| *count += 1);
    }

    /// How often a signal was raised or received, and the way to wait for the next time.
    pub(super) fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        self.counts[signal as usize].subscribe()
    }

    /// How often a signal was raised or received.
    pub(super) fn count(&self, signal: Signal) -> u64 {
        *self.counts[signal as usize].borrow()
    }

    /// What there is to tell other nodes now.
    pub(super) fn take_outgoing(&self) -> impl Iterator<Item = Signal> + use<> {
        self.outgoing.0.take()
    }

    /// Waits until there is something to tell other nodes, and takes it.
    pub(super) async fn outgoing(&self) -> Vec<Signal> {
        self.outgoing.1.notified().await;
        self.outgoing.0.take().collect()
    }
}
