//! Somebody who listens to an organization's log, at whichever node is there.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tests::{Client, Events};
use tokio::time::sleep;

use crate::nodes::Bases;

/// How long to wait where no node takes a stream just now.
const PAUSE: Duration = Duration::from_millis(15);

/// The log as streams have told it, and how long nothing was told each time that one broke.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<(Vec<Value>, Vec<Duration>)>>);

impl Heard {
    /// Takes an event, which has the next position.
    fn take(&self, event: Value) {
        let events = &mut self.0.lock().expect("a lock").0;
        assert_eq!(event["position"], events.len() as i64 + 1, "neither a gap nor twice");
        events.push(event);
    }

    fn was_silent(&self, time: Duration) {
        self.0.lock().expect("a lock").1.push(time);
    }

    /// From the end of each stream to the first event of the one after.
    pub(crate) fn silences(&self) -> Vec<Duration> {
        self.0.lock().expect("a lock").1.clone()
    }

    /// The ids of the expenses that were told of.
    pub(crate) fn expenses(&self) -> Vec<String> {
        let events = &self.0.lock().expect("a lock").0;
        let made = events.iter().filter(|event| event["kind"] == "expense.created");
        made.map(|event| event["entity_id"].as_str().expect("an id").to_owned()).collect()
    }

    /// The tasks that were told of, by the expense that each is about.
    pub(crate) fn tasks(&self) -> BTreeMap<String, Vec<String>> {
        let events = &self.0.lock().expect("a lock").0;
        let mut tasks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in events.iter().filter(|event| event["kind"] == "task.created") {
            let task = event["entity_id"].as_str().expect("an id").to_owned();
            let about = event["data"]["metadata"]["expense_id"].as_str().expect("an expense");
            tasks.entry(about.to_owned()).or_default().push(task);
        }
        tasks
    }
}

/// Listens from the beginning of a log at one node until the stream ends, and then at the next, after the last event
/// that it has seen.
pub(crate) async fn listen(
    (client, path, bases): (Client, String, Bases),
    heard: Heard,
    stop: Arc<AtomicBool>,
) {
    let (mut last, mut ended) = ("0".to_owned(), None::<Instant>);
    for node in 0.. {
        let there = client.at(&bases.get(node));
        if let Some(mut live) = Events::try_open(&there, &path, Some(&last)).await {
            while let Some(block) = live.block().await {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                last.clone_from(&live.last_id);
                if block.event.is_some() {
                    heard.take(block.data);
                    if let Some(at) = ended.take() {
                        heard.was_silent(at.elapsed());
                    }
                }
            }
            ended = ended.or(Some(Instant::now()));
        }
        sleep(PAUSE).await;
    }
}
