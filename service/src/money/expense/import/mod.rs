//! Expenses from CSV files, as banks and apps export them.
//!
//! A file is read, checked and compared with what is there before anything is written, in bounded
//! memory. Each row has an identity ([`Identity`]), whatever columns it is read with: a file imported twice
//! creates nothing the second time, two equal rows in one file are two expenses, and those of two members or
//! two accounts, too. What was deleted since stays away, unless it is to be restored.

mod compare;
mod days;
mod detect;
#[cfg(test)]
mod dialects;
mod known;
mod money;
mod parsed;
mod preview;
mod query;
mod reasons;
mod report;
mod rows;
mod words;
mod write;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

pub(crate) use self::write::{delete_imported, write_slice};
use self::{
    compare::{Compared, compare, refuse_bad_rows},
    known::Known,
    parsed::Parsed,
    write::write_or_begin,
};
pub use self::{
    preview::{ImportPreview, preview},
    query::{ImportQuery, Income, SignMeaning},
    report::ImportReport,
};
use crate::{
    actor::Actor,
    csv::{Identity, OnError, Report},
    error::{Error, Result},
    idempotency::WriteOnce,
    identity::member,
    import::{self, Imported, Staging},
    store::{Connections, Store},
};

/// A file and how to read it.
#[derive(Debug, Clone)]
pub struct Import {
    path: PathBuf,
    query: ImportQuery,
    currency: String,
    /// How many rows at its end are none of it, as was found.
    left_out: u64,
}

impl Import {
    /// The import of a file, which must stay as it is until the import is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the query does not make sense.
    pub fn new(path: &Path, query: ImportQuery, actor: &Actor) -> Result<Self> {
        query.check()?;
        let query = ImportQuery { member_id: query.member_id.or(actor.member_id), ..query };
        let currency = actor.settings.currency.clone();
        Ok(Self { path: path.to_owned(), query, currency, left_out: 0 })
    }

    /// The same, with a query in which nothing is left to find.
    fn with(self, query: ImportQuery) -> Self {
        let left_out = match self.query.skip_last {
            Some(_) => 0,
            None => query.skip_last.unwrap_or_default(),
        };
        Self { query, left_out, ..self }
    }

    /// All that the file says of how it is to be read.
    async fn detected(self) -> Result<detect::Detected> {
        let Self { path, query, currency, left_out: _ } = self;
        // Reading a large file takes its time, and other requests are answered on this thread.
        tokio::task::spawn_blocking(move || detect::detect(&path, &query, &currency))
            .await
            .map_err(|error| Error::Internal(format!("a file was read halfway: {error}")))?
    }
}

/// A good row, and what tells it from every other.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Staged {
    row: Parsed,
    #[serde(flatten)]
    identity: Identity,
}

/// Imports a file: in the write of `answering`, whose answer it is, where few of its rows are new. Else its
/// rows are staged by writes of `store`, and the import begins, which is the answer then.
///
/// # Errors
/// [`Error::Import`] where rows are bad and none may be; then nothing has been written.
pub async fn import(
    store: &Store,
    answering: WriteOnce<'_, Imported<ImportReport>>,
    actor: &Actor,
    import: Import,
) -> Result<Imported<ImportReport>> {
    check_member(store.read(), actor, &import).await?;
    let query = import.clone().detected().await?.or_ask()?;
    let import = import.with(query);
    let known = Known::read(store.read(), actor.organization_id, &import.query).await?;
    let known = Arc::new(known);
    let (on_error, dry_run) = (import.query.on_error, import.query.dry_run);
    if on_error == OnError::Abort && !dry_run {
        let (import, known) = (import.clone(), known.clone());
        // Reading a large file takes its time, and other requests are answered on this thread.
        tokio::task::spawn_blocking(move || refuse_bad_rows(&import, &known))
            .await
            .map_err(|error| Error::Internal(format!("a check ended early: {error}")))??;
    }
    let mut staging = Staging::new(store, actor, import::Kind::Expenses, &import.query.staged())?;
    let compared = compare(store, actor, &import, known, &mut staging).await;
    let done = match compared {
        Ok(Compared { report, .. }) if dry_run => {
            tracing::info!(created = report.created, failed = report.failed, "tried an import");
            return Ok(Imported::Done(report.or_abort(on_error)?));
        }
        Ok(compared) => write_or_begin(answering, actor, import, compared, &mut staging).await,
        Err(error) => Err(error),
    };
    if done.is_err() {
        // What fails here is swept later.
        let _ = staging.discard().await;
    }
    done
}

fn unknown_member() -> Error {
    Error::invalid("?member_id", "unknown", "must identify a member of the organization")
}

/// Nothing is imported for somebody who is not there, and nothing is said to be.
async fn check_member(connection: &Connections, actor: &Actor, import: &Import) -> Result<()> {
    let Some(id) = import.query.member_id.filter(|id| actor.member_id != Some(*id)) else {
        return Ok(());
    };
    let ids = vec![id];
    let missing =
        member::repository::find_missing_ids(connection, actor.organization_id, ids).await?;
    if missing.is_empty() { Ok(()) } else { Err(unknown_member()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{compare::refusal, *};

    /// As a row is that another version has staged.
    #[test]
    fn a_row_that_breaks_a_rule_of_expenses_is_bad() {
        let query = json!({ "date": "Day", "amount": "Sum" });
        let query: ImportQuery = serde_json::from_value(query).expect("a query");
        for (amount_minor, expected) in [(1, None), (0, Some((7, "invalid")))] {
            let row = json!({ "line": 7, "category": null, "project": null, "spent_on": "2026-11-02",
                "amount_minor": amount_minor, "currency": "EUR", "merchant": null, "note": null });
            let row: Parsed = serde_json::from_value(row).expect("a row");
            let found = refusal(&row, &Known::default(), &query);
            assert_eq!(found.map(|it| (it.line, it.code)), expected);
        }
    }
}
