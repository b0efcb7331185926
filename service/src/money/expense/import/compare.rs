//! Reads a file, and compares it with what is there, before anything is written.

use std::sync::Arc;

use entity::expense::Entity;

use super::{
    Import, ImportQuery, ImportReport, Staged,
    known::Known,
    parsed::Parsed,
    rows::{Row, Rows},
};
use crate::{
    actor::Actor,
    csv::{Chunks, Keys, OnError, Report, RowError},
    error::Result,
    import::{
        SLICE_ROWS, Staging,
        history::{Fate, History, Rule},
    },
    store::Store,
};

/// Some rows of a file: those that are good, and what is to be said of the others.
struct Chunk {
    good: Vec<Staged>,
    report: ImportReport,
}

/// What is wrong with a row: with what it refers to, or with the expense that it would be.
pub(super) fn refusal(row: &Parsed, known: &Known, query: &ImportQuery) -> Option<RowError> {
    let of_input = || RowError::of_input(row.line, &row.input(known, query.member_id));
    known.refusal(row, query).or_else(of_input)
}

fn read_chunks(import: &Import, known: &Known, give: &mut dyn FnMut(Chunk) -> bool) -> Result<()> {
    let mut keys = Keys::default();
    let (mut good, mut report) = (Vec::new(), ImportReport::default());
    let mut read = 0;
    for row in Rows::open(import)? {
        match row? {
            Row::Ignored(why, _) => report.ignore(why),
            Row::Bad(error) => report.fail(error),
            Row::Good(row) => match refusal(&row, known, &import.query) {
                Some(error) => report.fail(error),
                None => good.push(Staged { identity: row.identity(import, &mut keys), row }),
            },
        }
        read += 1;
        if read == SLICE_ROWS {
            read = 0;
            let chunk = Chunk { good: std::mem::take(&mut good), report };
            report = ImportReport::default();
            if !give(chunk) {
                return Ok(());
            }
        }
    }
    give(Chunk { good, report });
    Ok(())
}

/// What an import would do, found without the writer.
pub(super) struct Compared {
    pub(super) report: ImportReport,
    /// The last rows that are new: those before them are staged.
    pub(super) rest: Vec<Staged>,
    pub(super) total: u64,
}

/// Compares a file with what is there, and stages the rows that are new, but for the last of them. Those of
/// a dry run are only counted.
pub(super) async fn compare(
    store: &Store,
    actor: &Actor,
    import: &Import,
    known: Arc<Known>,
    staging: &mut Staging,
) -> Result<Compared> {
    let (mut report, mut rest, mut total) = (ImportReport::default(), Vec::new(), 0);
    let rule = Rule { member_id: import.query.member_id, needed_texts: 0 };
    let mut history = History::new(rule);
    report.reasons.count_left_out(import.left_out);
    let of_thread = import.clone();
    let mut chunks = Chunks::read(move |give| read_chunks(&of_thread, &known, give));
    while let Some(Chunk { mut good, report: some }) = chunks.next().await? {
        total += good.len() as u64 + some.ignored + some.failed;
        report = report.and(some);
        let identities = good.iter_mut().map(|row| &mut row.identity).collect();
        let fates =
            history.fates::<Entity>(store.read(), actor.organization_id, identities).await?;
        let count = |fate| fates.iter().filter(|it| **it == fate).count() as u64;
        report.duplicates += count(Fate::There);
        if !import.query.restore {
            report.deleted_before += count(Fate::Deleted);
        }
        let is_new =
            |fate: &Fate| *fate == Fate::New || (*fate == Fate::Deleted && import.query.restore);
        let new = good.into_iter().zip(&fates).filter(|(_, fate)| is_new(fate));
        let new: Vec<Staged> = new.map(|(row, _)| row).collect();
        report.created += new.len() as u64;
        if import.query.dry_run {
            continue;
        }
        rest.extend(new);
        while rest.len() > SLICE_ROWS {
            let slice: Vec<Staged> = rest.drain(..SLICE_ROWS).collect();
            staging.push(&slice).await?;
        }
    }
    Ok(Compared { report, rest, total })
}

/// The whole file is checked before the transaction begins, so that a bad one holds nobody up.
pub(super) fn refuse_bad_rows(import: &Import, known: &Known) -> Result<()> {
    let mut report = ImportReport::default();
    report.reasons.count_left_out(import.left_out);
    for row in Rows::open(import)? {
        match row? {
            Row::Ignored(why, _) => report.ignore(why),
            Row::Bad(error) => report.fail(error),
            Row::Good(parsed) => {
                if let Some(error) = refusal(&parsed, known, &import.query) {
                    report.fail(error);
                }
            }
        }
    }
    report.or_abort(OnError::Abort).map(drop)
}
