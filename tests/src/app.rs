//! steward itself, in this process, on a port of its own.

use std::net::TcpListener;

use api::{
    app::{self, Listeners},
    config::{Serve, Settings},
    shutdown::Shutdown,
    state::State,
};
use clap::{Args, FromArgMatches};
use entity::event;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::Value;
use service::{
    Store,
    background::{Background, Workers, run_until_idle},
    catalogue::CONSUMERS,
    consumer::Consumer,
    identity::{access, user::PasswordCost},
    import::{self, ImportRun},
    objects::Objects,
    random::Random,
    saga,
    seal::Keyring,
    store::Options,
};

use crate::{client::Client, database::Database, log::wait_until};

/// How steward is started.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// The store's.
    pub store: Options,
    /// The app's.
    pub settings: Settings,
    /// What hashing a password costs, whatever the settings say: little, unless that is what is tested.
    pub password_cost: PasswordCost,
    /// Whether operators have an address of their own.
    pub operations: bool,
    /// Flags of `steward serve`.
    pub flags: Vec<&'static str>,
    /// What reacts to events, if not what steward has.
    pub consumers: Option<&'static [Consumer]>,
    /// Whether what is done in the background is done by itself, and not only in
    /// [`App::run_until_idle`].
    pub background: bool,
}

impl Default for AppOptions {
    fn default() -> Self {
        let objects = Some(Objects::memory());
        let store = Options { keyring: keyring(), objects, ..Options::default() };
        let settings = Settings::default();
        Self {
            store,
            settings,
            password_cost: PasswordCost { memory_kib: 8, iterations: 1 },
            operations: false,
            flags: Vec::new(),
            consumers: None,
            background: false,
        }
    }
}

/// A key to encrypt with, always the same.
///
/// # Panics
/// Never: it is one.
pub fn keyring() -> Keyring {
    Keyring::new_key("test", &Random::seeded(1)).parse().unwrap()
}

/// A running steward.
#[derive(Debug)]
pub struct App {
    /// Its store.
    pub store: Store,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub base: String,
    /// Where operators ask, if they have an address of their own.
    pub operations: Option<String>,
    shutdown: Shutdown,
    workers: Workers,
    background: Option<Background>,
}

impl App {
    /// Starts steward on a database with the settings that it has by default.
    pub async fn start(database: &Database) -> Self {
        Self::start_with(database, AppOptions::default()).await
    }

    /// Starts steward on a database.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_with(database: &Database, options: AppOptions) -> Self {
        let store = database.store(options.store.clone()).await;
        Self::serve(store, options)
    }

    /// Starts steward over a store.
    ///
    /// # Panics
    /// If it does not start.
    pub fn over(store: Store, settings: Settings) -> Self {
        Self::serve(store, AppOptions { settings, ..AppOptions::default() })
    }

    fn serve(store: Store, options: AppOptions) -> Self {
        let AppOptions { store: _, settings, password_cost, operations, .. } = options;
        let AppOptions { flags, consumers, background, .. } = options;
        let settings = Settings { password_cost, ..settings };
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let listeners = Listeners::new(bind(), operations.then(bind));
        let base = format!("http://{}", listeners.api_address().unwrap());
        let operations = listeners.operations_address().unwrap();
        let operations = operations.map(|address| format!("http://{address}"));
        let state = State::new(store.clone(), settings).unwrap();
        let workers = state.workers(consumers.unwrap_or(CONSUMERS));
        let background = background.then(|| Background::start(&workers));
        let (server, shutdown) = app::server(state, listeners, &serve(&flags)).unwrap();
        tokio::spawn(server);
        Self { store, base, operations, shutdown, workers, background }
    }

    /// Does all that is to be done in the background, until nothing is left.
    ///
    /// # Panics
    /// If something cannot be done.
    pub async fn run_until_idle(&self) {
        run_until_idle(&self.workers).await.unwrap();
    }

    /// Uploads a file and waits until it is imported: what was done at once, or else the import at its end.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn import(&self, client: &Client, path: &str, csv: impl Into<Vec<u8>>) -> Value {
        let answer = client.upload(path, csv).await;
        if answer.status != 202 {
            return answer.expect(200);
        }
        let location = answer.headers["location"].to_str().unwrap();
        self.finish_import(location, |_| {}).await;
        client.read(location).await
    }

    /// Does an import to its end, and nothing else that is to be done in the background.
    ///
    /// # Panics
    /// If it does not go on.
    pub async fn finish_import(&self, location: &str, progress: impl Fn(&ImportRun)) {
        // …/organizations/{organization_id}/imports/{import_id}, from its end.
        let part = |back| location.rsplit('/').nth(back).unwrap().parse().unwrap();
        let (id, organization) = (part(0), part(2));
        let actor = access::operator(&self.store, organization, None).await.unwrap();
        let run = import::finish(&self.store, &actor, id, progress).await.unwrap();
        assert_ne!(run.state, saga::State::Failed, "{run:?}");
    }

    /// A client that nobody knows.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.base)
    }

    /// Waits until every event has its position, which somebody gives them.
    ///
    /// # Panics
    /// If one has none within a minute.
    pub async fn wait_until_sequenced(&self) {
        let waiting = event::Entity::find().filter(event::COLUMN.position.is_null());
        wait_until("every event has a position", async || {
            waiting.clone().count(self.store.read()).await.unwrap() == 0
        })
        .await;
    }

    /// A new user with a new organization: the owner, and the organization's path.
    pub async fn owner_of(&self, kind: &str) -> (Client, String) {
        let owner = self.anonymous().sign_up("Ada").await;
        let organization = owner.found(kind).await;
        (owner, organization)
    }

    /// Stops steward and closes its store.
    ///
    /// # Panics
    /// If the store does not close.
    pub async fn stop(self) {
        self.stop_server(false).await;
    }

    /// Stops steward as SIGTERM does: once the requests under way are answered.
    ///
    /// # Panics
    /// If the store does not close.
    pub async fn stop_when_done(self) {
        self.stop_server(true).await;
    }

    async fn stop_server(self, graceful: bool) {
        if graceful {
            self.shutdown.gracefully().await;
        } else {
            self.shutdown.at_once().await;
        }
        if let Some(background) = self.background {
            background.stop().await;
        }
        self.store.close().await.unwrap();
    }
}

/// The settings of the command line, with one thread.
fn serve(flags: &[&str]) -> Serve {
    let command = Serve::augment_args(clap::Command::new("serve"));
    let matches = command.get_matches_from([&["serve", "--workers", "1"], flags].concat());
    Serve::from_arg_matches(&matches).unwrap()
}
