//! The line before argon2. It is short: who would have to wait for long is told at once, and no network
//! fills it, nor do all strangers together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::{
    error::{Error, Result},
    throttle::{Network, Origin},
};

/// How long a request waits for its turn, if hashing takes longer here than anywhere.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many are in line for each processor. A hash takes some 30 ms, so that the last one waits for two
/// seconds.
const IN_LINE: usize = 64;
/// How many of them come from where nobody is known: the rest is for those who are.
const STRANGERS: usize = 48;
/// How many of them come from one network.
const OF_ONE_NETWORK: usize = 16;

#[derive(Debug, Clone)]
pub(super) struct Queue {
    turns: Arc<Semaphore>,
    line: Arc<Line>,
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
    strangers: HashMap<Network, usize>,
}

/// A place in line, until it goes.
#[derive(Debug)]
struct Place {
    line: Arc<Line>,
    origin: Origin,
}

impl Queue {
    pub(super) fn new(processors: usize) -> Self {
        let line = Line { processors, counts: Mutex::default() };
        Self { turns: Arc::new(Semaphore::new(processors)), line: Arc::new(line) }
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
        let place = self.enter(origin).ok_or_else(busy)?;
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned())
            .await
            .ok()
            .and_then(|turn| turn.ok())
            .ok_or_else(busy)?;
        tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if nobody waits for it any more.
            let _held = (turn, place);
            work()
        })
        .await
        .map_err(|error| Error::Internal(format!("a password check ended early: {error}")))
    }

    fn enter(&self, origin: Origin) -> Option<Place> {
        let line = &self.line;
        let mut counts = line.lock();
        if counts.all >= IN_LINE * line.processors {
            return None;
        }
        if let Origin::Stranger(network) = origin {
            let strangers: usize = counts.strangers.values().sum();
            let of_network = counts.strangers.get(&network).copied().unwrap_or_default();
            if strangers >= STRANGERS * line.processors
                || of_network >= OF_ONE_NETWORK * line.processors
            {
                return None;
            }
            counts.strangers.insert(network, of_network + 1);
        }
        counts.all += 1;
        Some(Place { line: line.clone(), origin })
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.line.lock();
        counts.all = counts.all.saturating_sub(1);
        if let Origin::Stranger(network) = self.origin
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

    fn stranger(number: u8) -> Origin {
        Origin::Stranger(IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into())
    }

    /// The places that a thousand would have.
    fn enter(queue: &Queue, origin: impl Fn(u8) -> Origin) -> Vec<Place> {
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
