use chrono::{DateTime, TimeDelta, Utc};
use service::{clock::Clock, limit::Limit, random::Random, store::Options};
use tests::{App, AppOptions, Client, Database};

/// Nodes on one database, with one clock and one source of randomness. They do not hear each other's notifications:
/// what holds does so by the database alone.
pub(super) struct Nodes {
    all: Vec<App>,
    /// Which of them does the work in the background.
    choice: Random,
    seed: u64,
}

impl Nodes {
    pub(super) async fn start(database: &Database, count: usize, seed: u64) -> Self {
        let start: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
        let store = Options {
            clock: Clock::stepping(start, TimeDelta::milliseconds(1)),
            random: Random::seeded(seed),
            ..AppOptions::default().store
        };
        let mut all = Vec::new();
        for _ in 0..count {
            let mut options = AppOptions { store: store.clone(), ..AppOptions::default() };
            // How fast the script runs is the machine's: nobody is held up by what comes back with the time.
            options.settings.rates.limit_attempts = Limit(None);
            options.settings.rates.limit_attempts_sustained = Limit(None);
            all.push(App::start_with(database, options).await);
        }
        Self { all, choice: Random::seeded(seed + 1), seed }
    }

    /// A client that nobody knows, and whose requests go to any of them.
    pub(super) fn anonymous(&self) -> Client {
        let bases: Vec<String> = self.all.iter().map(|node| node.base.clone()).collect();
        self.all[0].anonymous().among(&bases, self.seed)
    }

    /// Lets one of them do all that is to be done in the background, also what another was asked for: a request for
    /// totals stands in the memory of the node that missed them, and one node alone would serve it now.
    pub(super) async fn run_until_idle(&self) {
        let chosen = self.choice.below(self.all.len() as u64);
        let chosen = &self.all[usize::try_from(chosen).unwrap()];
        for organization_id in self.all.iter().flat_map(|it| it.store.backfill_requests().drain()) {
            chosen.store.backfill_requests().add(organization_id);
        }
        chosen.run_until_idle().await;
    }

    pub(super) async fn stop(self) {
        for node in self.all {
            node.stop().await;
        }
    }
}
