//! The line before argon2. It is short: who would have to wait for long is told at once. No network
//! fills it, nor do all strangers together, nor those of them who have failed; and nobody waits behind
//! more than a few of those who are trusted less.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::{
    error::{Error, Result},
    identity::throttle::{Network, Origin},
};

/// How long a request waits for its turn, if hashing takes longer here than anywhere.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many are in line for each processor. A hash takes some 30 ms, so that the last one waits for two
/// seconds.
const MAX_QUEUED: usize = 64;
/// How many of them come from where nobody is known: the rest is for those who are.
const MAX_STRANGERS: usize = 48;
/// How many of those come from where somebody has failed of late: the rest is for those who have not,
/// however many networks somebody guesses from.
const MAX_SUSPECTS: usize = 24;
/// How many of them come from one network.
const MAX_PER_NETWORK: usize = 16;

#[derive(Debug, Clone)]
pub(super) struct Queue {
    gates: Gates,
    line: Arc<Line>,
}

/// What lets through as many at once as there are processors, one behind the other: who comes from
/// where somebody has failed passes all three, who is known the last one alone. So there are never
/// more in front of a known one, at the last, than other known ones and a stranger for each processor.
#[derive(Debug, Clone)]
struct Gates {
    suspects: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// Who is in line, or has their turn.
#[derive(Debug)]
struct Line {
    processors: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    suspects: usize,
    /// With those who are suspect.
    strangers: HashMap<Network, usize>,
}

/// A place in line, until it goes.
#[derive(Debug)]
struct Ticket {
    line: Arc<Line>,
    origin: Origin,
}

impl Queue {
    pub(super) fn new(processors: usize) -> Self {
        let line = Line { processors, counts: Mutex::default() };
        let gate = || Arc::new(Semaphore::new(processors));
        let gates = Gates { suspects: gate(), strangers: gate(), turns: gate() };
        Self { gates, line: Arc::new(line) }
    }

    /// Runs `work` on another thread, in its turn.
    ///
    /// # Errors
    /// [`Error::Unavailable`] at once where the line is too long.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        origin: Origin,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let busy = || Error::Unavailable("too many passwords are being checked".into());
        let ticket = self.enter(origin).ok_or_else(busy)?;
        let turn = tokio::time::timeout(QUEUE_TIMEOUT, self.gates.pass(origin))
            .await
            .ok()
            .and_then(|passed| passed.ok())
            .ok_or_else(busy)?;
        tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if nobody waits for it any more.
            let _held = (turn, ticket);
            work()
        })
        .await
        .map_err(|error| Error::Internal(format!("a password check ended early: {error}")))
    }

    fn enter(&self, origin: Origin) -> Option<Ticket> {
        let line = &self.line;
        let mut counts = line.lock();
        if counts.all >= MAX_QUEUED * line.processors {
            return None;
        }
        if let Some(network) = network(origin) {
            let strangers: usize = counts.strangers.values().sum();
            let of_network = counts.strangers.get(&network).copied().unwrap_or_default();
            if strangers >= MAX_STRANGERS * line.processors
                || of_network >= MAX_PER_NETWORK * line.processors
                || (is_suspect(origin) && counts.suspects >= MAX_SUSPECTS * line.processors)
            {
                return None;
            }
            counts.suspects += usize::from(is_suspect(origin));
            counts.strangers.insert(network, of_network + 1);
        }
        counts.all += 1;
        Some(Ticket { line: line.clone(), origin })
    }
}

impl Gates {
    /// Waits for a turn. It is over when all that is given goes.
    async fn pass(&self, origin: Origin) -> Result<Vec<OwnedSemaphorePermit>, AcquireError> {
        let Self { suspects, strangers, turns } = self;
        let gates: &[_] = match origin {
            Origin::Suspect(_) => &[suspects, strangers, turns],
            Origin::Stranger(_) => &[strangers, turns],
            Origin::Known => &[turns],
        };
        let mut passed = Vec::with_capacity(gates.len());
        for gate in gates {
            passed.push(Arc::clone(gate).acquire_owned().await?);
        }
        Ok(passed)
    }
}

/// The network that a place is counted for.
fn network(origin: Origin) -> Option<Network> {
    match origin {
        Origin::Suspect(network) | Origin::Stranger(network) => Some(network),
        Origin::Known => None,
    }
}

fn is_suspect(origin: Origin) -> bool {
    matches!(origin, Origin::Suspect(_))
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.line.lock();
        counts.all = counts.all.saturating_sub(1);
        counts.suspects -= usize::from(is_suspect(self.origin));
        if let Some(network) = network(self.origin)
            && let Some(count) = counts.strangers.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                counts.strangers.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn address(number: u8) -> Network {
        IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    fn stranger(number: u8) -> Origin {
        Origin::Stranger(address(number))
    }

    fn suspect(number: u8) -> Origin {
        Origin::Suspect(address(number))
    }

    /// The places that a thousand would have.
    fn enter(queue: &Queue, origin: impl Fn(u8) -> Origin) -> Vec<Ticket> {
        (0..1000).filter_map(|number| queue.enter(origin((number % 256) as u8))).collect()
    }

    #[test]
    fn no_network_fills_the_line_nor_do_all_strangers() {
        let queue = Queue::new(2);
        let one = enter(&queue, |_| stranger(1));
        assert_eq!(one.len(), 32);
        let others = enter(&queue, stranger);
        assert_eq!(others.len(), 64, "48 for each processor are strangers");
        let known = enter(&queue, |_| Origin::Known);
        assert_eq!(known.len(), 32);
        assert!(queue.enter(Origin::Known).is_none());
        drop((one, others, known));
        assert!(queue.line.lock().strangers.is_empty());
        assert_eq!(enter(&queue, |_| Origin::Known).len(), 128);
    }

    #[test]
    fn who_guesses_from_many_networks_leaves_places_to_other_strangers() {
        let queue = Queue::new(2);
        let guessing = enter(&queue, suspect);
        assert_eq!(guessing.len(), 48, "24 for each processor have failed");
        assert_eq!(enter(&queue, stranger).len(), 48);
        drop(guessing);
        assert_eq!(queue.line.lock().suspects, 0);
    }

    #[tokio::test]
    async fn who_is_trusted_more_goes_first() {
        let queue = Queue::new(1);
        let (free, held) = tokio::sync::oneshot::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        let run = |origin, name| {
            let (queue, order) = (queue.clone(), Arc::clone(&order));
            async move { queue.run(origin, move || order.lock().expect("whole").push(name)).await }
        };
        let first = queue.run(Origin::Known, move || held.blocking_recv());
        // Polled in this order, and so waiting in this order.
        let (first, _, rest) = tokio::join!(
            biased;
            first,
            async { free.send(()) },
            async {
                tokio::join!(
                    run(suspect(1), "suspect"),
                    run(suspect(2), "suspect"),
                    run(suspect(3), "suspect"),
                    run(stranger(4), "stranger"),
                    run(Origin::Known, "known"),
                )
            },
        );
        first.expect("its turn").expect("it was let go");
        let rest: [Result<()>; 5] = rest.into();
        assert!(rest.iter().all(Result::is_ok));
        let order = order.lock().expect("whole").clone();
        // The first suspect was there before anybody else.
        assert_eq!(order, ["suspect", "known", "stranger", "suspect", "suspect"]);
    }

    #[tokio::test]
    async fn who_would_wait_for_long_is_told_at_once() {
        let queue = Queue::new(1);
        let line = enter(&queue, |_| Origin::Known);
        let refused = queue.run(Origin::Known, || ()).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))));
        drop(line);
        queue.run(Origin::Known, || ()).await.expect("there is room again");
    }
}
