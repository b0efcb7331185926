//! A session of another program's on a database: what it does, steward has no part in.

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};

use crate::Database;

/// A session, with one connection for all that it runs.
#[derive(Debug)]
pub struct Session(DatabaseConnection);

impl Session {
    /// Begins one.
    ///
    /// # Panics
    /// If the database does not answer.
    pub async fn begin(database: &Database) -> Self {
        let mut options = ConnectOptions::new(&database.url);
        options.max_connections(1);
        Self(sea_orm::Database::connect(options).await.unwrap())
    }

    /// Runs some SQL.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn run(&self, sql: &str) {
        let done = self.0.execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Ends it.
    ///
    /// # Panics
    /// If it does not close.
    pub async fn end(self) {
        self.0.close().await.unwrap();
    }
}
