//! A connection, and the transaction that is open on it.
//!
//! steward says BEGIN, COMMIT, ROLLBACK and SAVEPOINT itself, because what a driver believes of its
//! transaction can be wrong: SQLite takes a transaction back by itself when the disk is full
//! (<https://www.sqlite.org/lang_transaction.html>, section 3), and sqlx, which counts BEGINs and
//! COMMITs, would then make a savepoint of the next BEGIN and take its RELEASE for a commit. So a
//! transaction is begun here and nowhere else, never within another one; and a connection on which
//! BEGIN, COMMIT or ROLLBACK failed, or whose transaction was dropped, is closed and never used again.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::Mutex;

use super::{
    Isolation,
    connections::{ConnectionGuard, Connections},
    telemetry::OpenTransaction,
};

/// How a transaction is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// SQLite: the write lock at once, so that nobody can be in the way later.
    Immediate,
    /// SQLite: one state of the database, from the first read on.
    Deferred,
    /// PostgreSQL. The level is part of BEGIN: a pooler drops what the session's settings say.
    RepeatableRead,
    /// PostgreSQL: each statement sees what was committed before it.
    ReadCommitted,
    /// PostgreSQL: one state of the database, and no writes.
    ReadOnly,
}

impl From<Isolation> for Begin {
    fn from(isolation: Isolation) -> Self {
        match isolation {
            Isolation::RepeatableRead => Self::RepeatableRead,
            Isolation::ReadCommitted => Self::ReadCommitted,
        }
    }
}

impl Begin {
    fn sql(self) -> &'static str {
        match self {
            Self::Immediate => "BEGIN IMMEDIATE",
            Self::Deferred => "BEGIN",
            Self::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Self::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::ReadOnly => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        }
    }
}

/// A transaction. One that is dropped before its end takes its connection with it.
pub(super) struct Transaction {
    connection: Mutex<ConnectionGuard>,
    backend: DbBackend,
    /// Whether the connection may be in a transaction.
    open: AtomicBool,
    _counted: OpenTransaction,
}

impl Transaction {
    /// Begins a transaction on a connection of its own.
    pub(super) async fn begin(connections: &Connections, begin: Begin) -> Result<Self, DbErr> {
        let connection = connections.acquire().await?;
        // Before BEGIN is sent: whoever cancels this must not leave a transaction behind.
        let transaction = Self {
            _counted: connection.telemetry().transactions().begin(),
            connection: Mutex::new(connection),
            backend: connections.get_database_backend(),
            open: AtomicBool::new(true),
        };
        transaction.control(begin.sql()).await?;
        Ok(transaction)
    }

    /// Makes what was done last. An error does not say that it does not: [`super::commit_marker`].
    pub(super) async fn commit(&self) -> Result<(), DbErr> {
        self.control("COMMIT").await?;
        self.open.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Takes everything back. Where the database has done so already, or does not answer, the
    /// connection goes.
    pub(super) async fn rollback(&self) {
        match self.control("ROLLBACK").await {
            Ok(()) => self.open.store(false, Ordering::Relaxed),
            Err(error) => tracing::debug!(%error, "a connection is closed: its ROLLBACK failed"),
        }
    }

    /// Begins the savepoint of this depth, from 1.
    pub(super) async fn savepoint(&self, depth: u32) -> Result<(), DbErr> {
        self.control(&format!("SAVEPOINT s{depth}")).await
    }

    /// Ends a savepoint and keeps what was done since.
    pub(super) async fn release(&self, depth: u32) -> Result<(), DbErr> {
        self.control(&format!("RELEASE SAVEPOINT s{depth}")).await
    }

    /// Ends a savepoint and takes back what was done since.
    pub(super) async fn rollback_to(&self, depth: u32) -> Result<(), DbErr> {
        self.control(&format!("ROLLBACK TO SAVEPOINT s{depth}; RELEASE SAVEPOINT s{depth}")).await
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Runs what begins and ends transactions: not counted among the statements.
    async fn control(&self, sql: &str) -> Result<(), DbErr> {
        self.connection.lock().await.execute_unprepared(sql).await.map(drop)
    }

    pub(super) async fn execute(&self, statement: &Statement) -> Result<ExecResult, DbErr> {
        self.connection.lock().await.execute(statement).await
    }

    pub(super) async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.connection.lock().await.execute_unprepared(sql).await
    }

    pub(super) async fn query_unprepared(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        self.connection.lock().await.query_unprepared(sql).await
    }

    pub(super) async fn query_one(
        &self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        self.connection.lock().await.query_one(statement).await
    }

    pub(super) async fn query_all(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.connection.lock().await.query_all(statement).await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if *self.open.get_mut() {
            self.connection.get_mut().close_on_drop();
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("open", &self.open).finish_non_exhaustive()
    }
}
