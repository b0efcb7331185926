//! Documents that another store keeps (docs/decisions/0048).
//!
//! A write is one transaction of steward's own database, as any other: the row with its body, the event, and an
//! *intent*. What was intended is then written to the other store, outside of any transaction, and confirmed: the body
//! leaves the row, and the intent goes. Until then the body is read from the row, and from then on from the other
//! store. A process that ends in between leaves the intent, and any process goes on with it.

mod bodies;
mod delivery;
mod repository;

use sea_orm::sea_query::SelectStatement;

pub(crate) use bodies::{fill, fill_in, row_of_write};
pub(crate) use delivery::{Delivery, purge};

use crate::{
    document::{engine::CREDENTIALS_REFUSED, subject::Subject},
    error::{Error, Result},
    fault,
    measure::{count_waiting, seconds_since},
    store::{Store, Tx, signal::Signal},
};
use chrono::TimeDelta;

/// How long something may wait until no more is written: what waits would grow for as long as the other store is away.
const MAX_WAIT: TimeDelta = TimeDelta::seconds(60);

/// The code of a failure that an operator has not to mend.
const UNAVAILABLE: &str = "documents_unavailable";

/// What becomes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Its row has this version.
    Written(i64),
    /// It is gone, and that is its version.
    Deleted(i64),
}

/// Says that another store is to have what was written of a document, if documents are kept in one.
///
/// # Errors
/// [`Error::Behind`] where that store has taken nothing for a minute.
pub(crate) async fn intend(tx: &Tx, subject: Subject<'_>, intent: Intent) -> Result<()> {
    if !tx.has_remote() {
        return Ok(());
    }
    if let Some(oldest) = repository::oldest(tx).await?
        && tx.now() - oldest.created_at.to_utc() > MAX_WAIT
    {
        let known = [CREDENTIALS_REFUSED, DIVERGED];
        let known = known.into_iter().find(|code| oldest.failure.as_deref() == Some(code));
        return Err(Error::Behind { code: known.unwrap_or(UNAVAILABLE) });
    }
    repository::write(tx, subject, intent).await?;
    fault::point(format_args!("document.intent"));
    tx.signal(Signal::Intended);
    Ok(())
}

/// The code of an intent that cannot be written: the other store has a later version, which is not steward's.
pub(crate) const DIVERGED: &str = "documents_diverged";

/// How many writes the other store has not taken yet.
pub(crate) async fn waiting(store: &Store) -> Result<i64> {
    Ok(count_waiting(store.read(), pending()).await?.0)
}

fn pending() -> SelectStatement {
    repository::pending()
}

/// Measures how many writes another store has not taken, and for how long the first of them has waited.
///
/// # Errors
/// Where the database does not answer.
pub(crate) async fn measure(store: &Store) -> Result<()> {
    let (intents, since) = count_waiting(store.read(), pending()).await?;
    metrics::gauge!("steward_document_pending_writes").set(intents as f64);
    metrics::gauge!("steward_document_pending_seconds").set(seconds_since(store, since));
    Ok(())
}
