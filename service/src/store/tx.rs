use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    TransactionTrait,
};
use uuid::Uuid;

use super::Context;
use crate::random::Random;

/// A transaction: a connection, and the time and the ids of what happens in it.
#[derive(Debug)]
pub struct Tx {
    transaction: DatabaseTransaction,
    context: Context,
    undone: AtomicBool,
}

impl Tx {
    pub(super) fn new(transaction: DatabaseTransaction, context: Context) -> Self {
        Self { transaction, context, undone: AtomicBool::new(false) }
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
    }

    /// An id for a new row.
    pub fn new_id(&self) -> Uuid {
        self.context.random.id(self.now())
    }

    /// Randomness.
    pub fn random(&self) -> &Random {
        &self.context.random
    }

    /// Keeps nothing of this transaction, though its result is given: for dry runs.
    pub fn undo(&self) {
        self.undone.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_undone(&self) -> bool {
        self.undone.load(Ordering::Relaxed)
    }

    /// A savepoint within this transaction.
    pub(super) async fn savepoint(&self) -> Result<Self, DbErr> {
        Ok(Self::new(self.transaction.begin().await?, self.context.clone()))
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.rollback().await
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

// Written out rather than with #[async_trait], which would box every future a second time.
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    fn execute_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, ExecResult>
    where
        's: 'a,
        Self: 'a,
    {
        self.transaction.execute_raw(statement)
    }

    fn execute_unprepared<'s, 'q, 'a>(&'s self, sql: &'q str) -> Answer<'a, ExecResult>
    where
        's: 'a,
        'q: 'a,
        Self: 'a,
    {
        self.transaction.execute_unprepared(sql)
    }

    fn query_one_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, Option<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        self.transaction.query_one_raw(statement)
    }

    fn query_all_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, Vec<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        self.transaction.query_all_raw(statement)
    }
}
