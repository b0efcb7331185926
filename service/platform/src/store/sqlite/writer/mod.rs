//! The one who writes.
//!
//! It takes what waits, runs each closure inside one transaction, commits once, and then answers all. A closure that
//! fails before it has written anything leaves nothing to take back. Where one has written, the transaction begins
//! again, and each closure has a savepoint of its own. A closure belongs to the writer: a request that goes away leaves
//! nothing half done. Nobody is answered before the commit is known, and after a failure nothing is
//! written before a commit of the writer's own has succeeded.

mod failure;
mod task;

use std::{sync::Arc, time::Duration};

use sea_orm::{
    DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait, sqlx::SqliteConnection,
};
use tokio::sync::mpsc;

use self::{failure::Failure, task::WriterTask};
use super::{commits::CommitCounter, file::DataFile};
use crate::{
    error::{Error, Result},
    store::{
        Context, Fetched, Schema, Tx,
        connections::Connections,
        job::{self, Job},
        local,
    },
};

/// How many closures may wait before their callers wait to wait.
const QUEUE_CAPACITY: usize = 1024;
/// How long the writer may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// What a writer is made of.
pub(super) struct Parts {
    pub(super) connections: Connections,
    pub(super) context: Context,
    pub(super) group_commit: bool,
    pub(super) commits: CommitCounter,
    /// None in memory.
    pub(super) file: Option<DataFile>,
    /// In memory alone.
    pub(super) keeper: Option<Arc<SqliteConnection>>,
}

/// The way to the task that writes.
#[derive(Debug, Clone)]
pub(in crate::store) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    connections: Connections,
}

impl Writer {
    pub(super) fn start(parts: Parts) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE_CAPACITY);
        let connections = parts.connections.clone();
        let task = WriterTask { parts, queue, failure: Failure::default(), savepoint_batches: 0 };
        local::spawn(move || task.run());
        Self { queue: sender, connections }
    }

    pub(in crate::store) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// How many jobs wait for their turn.
    pub(in crate::store) fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// A transaction in which the schema can be changed: migrations take SeaORM's own. SeaORM itself
    /// begins none on SQLite, and a process that ends in the middle of a migration would leave half of
    /// it, which could neither be gone on with nor taken back.
    pub(in crate::store) async fn lock_schema(&self) -> Result<Schema, DbErr> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let permit = self.connections.reserve().await?;
        Ok(Schema {
            transaction: permit.pool.begin_with_options(immediate).await?,
            _permit: permit,
        })
    }

    /// Has a job run, once it is its turn.
    pub(in crate::store) async fn enqueue(&self, job: Box<dyn Job>) -> Result<()> {
        self.queue.send(job).await.map_err(|_| stopped())
    }

    /// Whether it can write. After a failure, it finds out by writing.
    pub(in crate::store) async fn ping(&self) -> Result<()> {
        let nothing = async |tx: &Tx| {
            tx.set_rollback_only();
            Ok(())
        };
        let (nothing, done) = job::job(None, nothing, Fetched::default());
        let answer = async {
            self.enqueue(nothing).await?;
            done.await.map_err(|_| stopped())?.done()
        };
        let late = |_| Error::Unavailable("the writer does not answer".into());
        tokio::time::timeout(PING_TIMEOUT, answer).await.map_err(late)?
    }

    /// Waits until what was begun is done.
    pub(in crate::store) async fn stop(&self) {
        let (nothing, done) = job::job(None, async |_: &Tx| Ok(()), Fetched::default());
        if self.enqueue(nothing).await.is_ok() {
            let _ = done.await;
        }
        let _ = self.connections.close().await;
    }
}

/// The task that writes has ended.
pub(in crate::store) fn stopped() -> Error {
    Error::Unavailable("the writer has stopped".into())
}
