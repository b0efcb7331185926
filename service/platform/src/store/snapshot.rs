//! Several statements on one state of the database.

use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;
use tracing::Instrument;

use super::{
    Engine, Store, Tx, local,
    transaction::{Begin, Transaction},
};
use crate::{
    error::{Error, Result},
    trace,
};

/// What a snapshot is for.
type Query = Box<dyn for<'a> FnOnce(&'a Tx) -> LocalBoxFuture<'a, ()> + Send>;

impl Store {
    /// Runs `work` on one state of the database: for answers that several statements make.
    ///
    /// In a task of its own, for the reason that PostgreSQL's writes are: a request that goes away
    /// must not cancel a BEGIN.
    pub async fn snapshot<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Tx) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let query: Query = Box::new(move |tx| {
            Box::pin(async move {
                // Nobody may be waiting any more.
                let _ = answer.send(work(tx).await);
            })
        });
        let (fail, failed) = oneshot::channel();
        let (store, span) = (self.clone(), trace::current());
        local::spawn(move || {
            let run = async move {
                if let Err(error) = store.query(query).await {
                    let _ = fail.send(error);
                }
            };
            run.instrument(span)
        });
        match answered.await {
            Ok(result) => result,
            Err(_) => Err(failed
                .await
                .unwrap_or_else(|_| Error::Internal("a snapshot ended early".into()))),
        }
    }

    async fn query(self, query: Query) -> Result<()> {
        let begin = match self.engine {
            Engine::Sqlite => Begin::Deferred,
            Engine::Postgres => Begin::ReadOnly,
        };
        let transaction = Transaction::begin(&self.reader, begin).await?;
        let tx = Tx::new(transaction, self.context);
        query(&tx).await;
        // There is nothing to keep.
        tx.rollback().await;
        Ok(())
    }
}
