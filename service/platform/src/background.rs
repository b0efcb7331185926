//! What is done without being asked. Each kind of work has what it needs; the list of all is made above.

use std::{fmt, future, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    error::Result,
    lease::{self, Node},
    store::{Store, signal::Signal},
};

/// How long a worker that has found nothing waits, unless it is woken: as long as a signal that was
/// lost can cost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long at least from one look at the log to the next, but where much is left to do: what happens meanwhile is done
/// in one turn, and a turn costs more than an event.
pub const MIN_TURN_INTERVAL: Duration = Duration::from_millis(50);
/// As much as is done in a turn that leaves something to do.
const LARGE_TURN: u64 = 50;
/// How long a worker waits that could not do its work.
const FAILURE_DELAY: Duration = Duration::from_millis(500);

/// Whether a turn may do several things at once, and leave what it has begun under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// It may.
    Concurrent,
    /// It does one thing after the other, and ends with the last.
    Sequential,
}

/// A kind of work.
pub trait Work: fmt::Debug + Send + Sync {
    /// Does some of what there is to do, and says how much; zero if there is nothing.
    fn turn(&self, concurrency: Concurrency) -> BoxFuture<'_, Result<u64>>;

    /// Waits for what turns have left under way.
    fn finish(&self) -> BoxFuture<'_, ()> {
        Box::pin(future::ready(()))
    }
}

/// Work that needs nothing but the database.
#[derive(Debug)]
pub struct StoreWork {
    store: Store,
    turn: fn(&Store) -> BoxFuture<'_, Result<u64>>,
}

impl StoreWork {
    /// The work of a function.
    pub fn boxed(store: &Store, turn: fn(&Store) -> BoxFuture<'_, Result<u64>>) -> Box<dyn Work> {
        Box::new(Self { store: store.clone(), turn })
    }
}

impl Work for StoreWork {
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        (self.turn)(&self.store)
    }
}

/// Somebody who does a kind of work.
#[derive(Debug)]
pub struct Worker {
    /// What the log of the process calls it.
    pub name: &'static str,
    /// What wakes it, besides the end of its rest.
    pub wakes: Option<Signal>,
    /// How long it waits after a turn that did not do much, whatever wakes it. None and not zero: a timer takes up
    /// to a millisecond for nothing, after each step of a saga.
    pub min_interval: Option<Duration>,
    /// What it does.
    pub work: Box<dyn Work>,
}

/// Everybody who works in the background of one process.
#[derive(Debug, Clone)]
pub struct Workers {
    store: Store,
    node: Node,
    all: Arc<[Arc<Worker>]>,
}

impl Workers {
    /// Those of a node.
    pub fn new(store: Store, node: Node, workers: Vec<Worker>) -> Self {
        Self { store, node, all: workers.into_iter().map(Arc::new).collect() }
    }
}

/// The work of one process, until it is stopped.
#[derive(Debug)]
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    relay: JoinHandle<()>,
    workers: Workers,
}

impl Background {
    /// Starts all work.
    pub fn start(workers: &Workers) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = |worker: &Arc<Worker>| {
            tokio::spawn(run(worker.clone(), workers.store.clone(), stopped.clone()))
        };
        let tasks = workers.all.iter().map(task).collect();
        let store = workers.store.clone();
        let relay = tokio::spawn(async move { store.relay_notifications().await });
        Self { stop, tasks, relay, workers: workers.clone() }
    }

    /// Waits for what was begun, gives back what only one may do at a time, and ends.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        let Workers { store, node, all } = &self.workers;
        for worker in all.iter() {
            worker.work.finish().await;
        }
        self.relay.abort();
        let left = async {
            lease::release(store, node).await?;
            store.notify_shutdown().await
        };
        if let Err(error) = left.await {
            tracing::warn!(%error, "the leases were not given back: others wait until they run out");
        }
    }
}

async fn run(worker: Arc<Worker>, store: Store, mut stopped: watch::Receiver<bool>) {
    let mut wake = worker.wakes.map(|signal| store.watch(signal));
    while !*stopped.borrow() {
        wake.as_mut().map(|wake| *wake.borrow_and_update());
        let turn = worker.work.turn(Concurrency::Concurrent).await;
        if let (Ok(..LARGE_TURN), Some(interval)) = (&turn, worker.min_interval) {
            sleep_unless_stopped(interval, &mut stopped).await;
        }
        let delay = match turn {
            Ok(0) => POLL_INTERVAL,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(worker = worker.name, %error, "background work failed");
                FAILURE_DELAY
            }
        };
        tokio::select! {
            () = woken(&mut wake) => {}
            () = tokio::time::sleep(delay) => {}
            () = has_stopped(&mut stopped) => {}
        }
    }
}

async fn sleep_unless_stopped(time: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = has_stopped(stopped) => {}
    }
}

async fn has_stopped(stopped: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn woken(wake: &mut Option<watch::Receiver<u64>>) {
    match wake {
        Some(wake) => _ = wake.changed().await,
        None => std::future::pending().await,
    }
}

/// Does all that there is to do, until there is nothing left: for the command line, and for tests
/// that run no workers. One thing after the other, so that it goes the same way each time.
pub async fn run_until_idle(workers: &Workers) -> Result<()> {
    let result = run_sequentially(workers).await;
    lease::release(&workers.store, &workers.node).await?;
    result
}

/// Each only once those before it have nothing left to do, so that it does not matter which of them gives
/// events their positions.
async fn run_sequentially(workers: &Workers) -> Result<()> {
    let mut left = workers.all.iter();
    while let Some(worker) = left.next() {
        if worker.work.turn(Concurrency::Sequential).await? > 0 {
            left = workers.all.iter();
        }
    }
    Ok(())
}
