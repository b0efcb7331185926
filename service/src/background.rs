//! What steward does without being asked: each kind of work is a function and a line in
//! `catalogue::WORKERS`.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    automation::webhook,
    consumer::Consumer,
    error::Result,
    event::sequencer,
    lease::{self, Node},
    outbound::Outbound,
    saga::{self, SagaTimeouts},
    store::{Store, signal::Signal},
};

/// How long a worker that has found nothing waits, unless it is woken: as long as a signal that was
/// lost can cost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long at least from one look at the log to the next, but where much is left to do: what happens meanwhile is done
/// in one turn, and a turn costs more than an event.
pub(crate) const MIN_TURN_INTERVAL: Duration = Duration::from_millis(50);
/// As much as is done in a turn that leaves something to do.
const LARGE_TURN: u64 = 50;
/// How long a worker waits that could not do its work.
const FAILURE_DELAY: Duration = Duration::from_millis(500);

/// What is to be done in the background.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue {
    /// What reacts to events.
    pub consumers: &'static [Consumer],
    /// All that is done, the consumers' work included.
    pub workers: &'static [Worker],
}

/// What every worker is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// The database.
    pub store: Store,
    /// This process, among the nodes.
    pub node: Node,
    /// Since when events wait for a position.
    pub(crate) sequencing_lag: sequencer::SequencingLag,
    /// What reacts to events.
    pub consumers: &'static [Consumer],
    /// What is done.
    workers: &'static [Worker],
    /// Who makes requests to addresses that users give.
    pub outbound: Outbound,
    /// How webhooks are sent.
    pub webhooks: webhook::Settings,
    /// What is being sent to them.
    pub(crate) sends: webhook::Sends,
    /// What others are sending to them.
    pub(crate) claims: webhook::Claims,
    /// The calls of sagas that others make.
    pub(crate) calls: saga::Calls,
    /// How long sagas wait.
    pub saga_timeouts: SagaTimeouts,
    /// Whether nothing is done at the same time as something else.
    pub(crate) sequential: bool,
    /// When it is worth while to look for answers that are kept no longer, in seconds.
    pub(crate) next_sweep: Arc<AtomicI64>,
}

impl Context {
    /// What the workers of this process are given.
    pub fn new(
        catalogue: Catalogue,
        store: Store,
        outbound: Outbound,
        webhooks: webhook::Settings,
        saga_timeouts: SagaTimeouts,
    ) -> Self {
        Self {
            node: Node::new(&store),
            sequencing_lag: sequencer::SequencingLag::default(),
            store,
            consumers: catalogue.consumers,
            workers: catalogue.workers,
            outbound,
            webhooks,
            sends: webhook::Sends::default(),
            claims: webhook::Claims::default(),
            calls: saga::Calls::default(),
            saga_timeouts,
            sequential: false,
            next_sweep: Arc::default(),
        }
    }
}

/// A kind of work.
#[derive(Debug)]
pub struct Worker {
    /// What the log of the process calls it.
    pub(crate) name: &'static str,
    /// What wakes it, besides the end of its rest.
    pub(crate) wakes: Option<Signal>,
    /// How long it waits after a turn that did not do much, whatever wakes it. None and not zero: a timer takes up
    /// to a millisecond for nothing, after each step of a saga.
    pub(crate) min_interval: Option<Duration>,
    /// Does some of what there is to do, and says how much; zero if there is nothing.
    pub(crate) turn: fn(&Context) -> BoxFuture<'_, Result<u64>>,
}

/// The work of one process, until it is stopped.
#[derive(Debug)]
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    relay: JoinHandle<()>,
    context: Context,
}

impl Background {
    /// Starts all work.
    pub fn start(context: &Context) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks = context
            .workers
            .iter()
            .map(|worker| tokio::spawn(run(worker, context.clone(), stopped.clone())))
            .collect();
        let store = context.store.clone();
        let relay = tokio::spawn(async move { store.relay_notifications().await });
        Self { stop, tasks, relay, context: context.clone() }
    }

    /// Waits for what was begun, gives back what only one may do at a time, and ends.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        let Context { store, node, sends, .. } = &self.context;
        sends.finish().await;
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

async fn run(worker: &'static Worker, context: Context, mut stopped: watch::Receiver<bool>) {
    let mut wake = worker.wakes.map(|signal| context.store.watch(signal));
    while !*stopped.borrow() {
        wake.as_mut().map(|wake| *wake.borrow_and_update());
        let turn = (worker.turn)(&context).await;
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
pub async fn run_until_idle(context: &Context) -> Result<()> {
    let context = Context { sequential: true, ..context.clone() };
    let result = run_sequentially(&context).await;
    lease::release(&context.store, &context.node).await?;
    result
}

/// Each only once those before it have nothing left to do, so that it does not matter which of them gives
/// events their positions.
async fn run_sequentially(context: &Context) -> Result<()> {
    let mut workers = context.workers.iter();
    while let Some(worker) = workers.next() {
        if (worker.turn)(context).await? > 0 {
            workers = context.workers.iter();
        }
    }
    Ok(())
}
