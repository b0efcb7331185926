//! Databases for tests: fresh ones. Those of PostgreSQL are cloned from a migrated template.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use service::{
    Store,
    catalogue::CATALOGUE,
    store::{Engine, Options},
};
use tokio::sync::OnceCell;

/// A database that is there for one test.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which database.
    pub engine: Engine,
    /// Where it is.
    pub url: String,
}

/// Runs a test on SQLite in memory.
pub async fn run_on_sqlite(test: impl AsyncFnOnce(Database)) {
    test(Database { engine: Engine::Sqlite, url: "sqlite::memory:".into() }).await;
}

/// Runs a test on SQLite in a file.
///
/// # Panics
/// If there is no folder for it.
pub async fn run_on_sqlite_file(test: impl AsyncFnOnce(Database)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("steward.db").display());
    test(Database { engine: Engine::Sqlite, url }).await;
}

/// Runs a test on a new database of the PostgreSQL of `TEST_POSTGRES_URL`, or skips it without one.
///
/// # Panics
/// In CI without PostgreSQL: nothing is done while it runs on one.
pub async fn run_on_postgresql(test: impl AsyncFnOnce(Database)) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = env::var("TEST_POSTGRES_URL") else {
        assert!(env::var_os("CI").is_none(), "CI sets TEST_POSTGRES_URL");
        eprintln!("skipped: TEST_POSTGRES_URL is not set");
        return;
    };
    let template = template(&server).await;
    let name = format!("{template}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    execute(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    test(Database { engine: Engine::Postgres, url: at(&server, &name) }).await;
    execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

/// Runs one test on SQLite in memory and then on PostgreSQL: where it compares them, or where both
/// would have something of the process in common. All others have
/// [`each_database`](crate::each_database).
///
/// # Panics
/// As [`run_on_postgresql`].
pub async fn run_in_turn(test: impl AsyncFn(Database)) {
    run_on_sqlite(&test).await;
    run_on_postgresql(&test).await;
}

/// The name of a database that has been migrated, once in this process.
async fn template(server: &str) -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let made = TEMPLATE.get_or_init(async || {
        let name = format!("steward_test_{}", process::id());
        execute(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        execute(server, &format!("CREATE DATABASE {name}")).await;
        let store =
            Store::connect(&at(server, &name), Options::default(), &CATALOGUE).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await.unwrap();
        name
    });
    made.await.clone()
}

/// Runs a statement on the server, in its own connection.
///
/// # Panics
/// If the server refuses.
pub async fn execute(server: &str, sql: &str) {
    let connection: DatabaseConnection = sea_orm::Database::connect(server).await.unwrap();
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// The URL of another database of the same server.
fn at(server: &str, database: &str) -> String {
    let (base, parameters) = server.split_once('?').unwrap_or((server, ""));
    let (host, _) = base.rsplit_once('/').expect("TEST_POSTGRES_URL ends with /DATABASE");
    format!("{host}/{database}?{parameters}")
}

impl Database {
    /// Another that has the same in it. To be made while nobody is connected to this one, and to be removed.
    ///
    /// # Panics
    /// If it cannot be made, or SQLite has this one in memory.
    pub async fn copy(&self) -> Self {
        let url = match self.engine {
            Engine::Sqlite => {
                let file = self.url.strip_prefix("sqlite://").unwrap();
                std::fs::copy(file, format!("{file}.copy")).unwrap();
                format!("{}.copy", self.url)
            }
            Engine::Postgres => {
                let (server, name) = self.parts();
                execute(&server, &format!("CREATE DATABASE {name}_copy TEMPLATE {name}")).await;
                at(&server, &format!("{name}_copy"))
            }
        };
        Self { engine: self.engine, url }
    }

    /// Removes it.
    ///
    /// # Panics
    /// If it is not there.
    pub async fn remove(self) {
        match self.engine {
            Engine::Sqlite => {
                std::fs::remove_file(self.url.strip_prefix("sqlite://").unwrap()).unwrap();
            }
            Engine::Postgres => {
                let (server, name) = self.parts();
                execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }

    /// On PostgreSQL, the server by another of its databases, and the name of this one.
    fn parts(&self) -> (String, String) {
        let (base, _) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (_, name) = base.rsplit_once('/').unwrap();
        (at(&self.url, "postgres"), name.to_owned())
    }

    /// A store on this database, migrated.
    ///
    /// # Panics
    /// If the database does not answer.
    pub async fn store(&self, options: Options) -> Store {
        let store = Store::connect(&self.url, options, &CATALOGUE).await.unwrap();
        if self.engine == Engine::Sqlite {
            store.migrate().await.unwrap();
        }
        store
    }
}
