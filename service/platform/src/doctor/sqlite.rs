//! SQLite: its file, its write-ahead log, its statistics, and whether all of it is sound.

use sea_orm::{DbErr, QueryResult};

use super::{
    Examination, Severity,
    report::{Finding, Notes, size},
};
use crate::{
    error::{Error, Result},
    measure::database::{SQLITE_SIZES, wal_size},
    store::Store,
};

const VERSION: &str = "SELECT sqlite_version()";
const FILE: &str = "\
    SELECT page_count, page_size, freelist_count, journal_mode, file \
    FROM pragma_page_count(), pragma_page_size(), pragma_freelist_count(), pragma_journal_mode(), \
      pragma_database_list WHERE name = 'main'";
/// sqlite_stat1 is there once ANALYZE has run.
const STATISTICS: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'";
const ANALYZED: &str = "SELECT count(DISTINCT tbl) FROM sqlite_stat1";
const CHECK: &str = "PRAGMA quick_check(10)";

/// Of how much of the file being free it is told, if that is some space at all, in bytes.
const FREE: (f64, i64) = (0.25, 16 << 20);
/// How large the write-ahead log is when it is told, in bytes: it is cut to 8 MiB when it begins anew.
const WAL: (f64, f64) = (64.0 * 1024.0 * 1024.0, 1024.0 * 1024.0 * 1024.0);

/// Examines the database, and gives its version.
pub(super) async fn examine(
    store: &Store,
    examination: Examination,
    notes: &mut Notes,
) -> Result<String> {
    let version = ask(store, VERSION).await?;
    let version = version.first().ok_or_else(nothing)?.try_get_by_index(0)?;
    notes.keep("file", file(store).await);
    notes.keep("write_ahead_log", write_ahead_log(store).await);
    notes.keep("statistics", statistics(store).await);
    if examination.check {
        notes.keep("integrity", integrity(store).await);
        notes.keep("tables", tables(store).await);
    } else {
        notes.hide("integrity", "reads the whole file: only with `steward doctor --check`");
    }
    notes.hide("indexes", "SQLite does not count how often it uses an index");
    Ok(version)
}

async fn ask(store: &Store, sql: &'static str) -> Result<Vec<QueryResult>> {
    store.inspect(move |it| Box::pin(it.rows(sql))).await
}

fn nothing() -> Error {
    Error::Internal("SQLite says nothing of itself".into())
}

async fn file(store: &Store) -> Result<Vec<Finding>> {
    let rows = ask(store, FILE).await?;
    let row = rows.first().ok_or_else(nothing)?;
    let int = |column: usize| row.try_get_by_index::<i64>(column);
    let (pages, page_size, free) = (int(0)?, int(1)?, int(2)?);
    let (mode, path): (String, String) = (row.try_get_by_index(3)?, row.try_get_by_index(4)?);
    Ok(vec![space(pages, page_size, free), journal(&mode, !path.is_empty())])
}

fn space(pages: i64, page_size: i64, free: i64) -> Finding {
    let (bytes, free_bytes) = (pages * page_size, free * page_size);
    let share = free as f64 / pages.max(1) as f64;
    let severity = Severity::warning_if(share >= FREE.0 && free_bytes >= FREE.1);
    let summary = format!("the file has {}, of which {} are free", size(bytes), size(free_bytes));
    Finding::new("file", severity, summary)
        .measured("pages", pages, "pages")
        .measured("page_size", page_size, "bytes")
        .measured("free_pages", free, "pages")
        .measured("size", bytes, "bytes")
        .advise("it is reused as rows are added; to give it back, stop the server and run VACUUM")
}

fn journal(mode: &str, is_file: bool) -> Finding {
    let is_wrong = is_file && mode != "wal";
    let severity = if is_wrong { Severity::Critical } else { Severity::Ok };
    Finding::new("journal_mode", severity, format!("the journal mode is {mode}"))
        .advise("readers and the writer wait for each other: another program has changed it, set it to WAL again")
}

async fn write_ahead_log(store: &Store) -> Result<Vec<Finding>> {
    let bytes = store.inspect(|it| Box::pin(wal_size(it))).await?;
    Ok(vec![log_size(i64::try_from(bytes).unwrap_or(i64::MAX))])
}

fn log_size(bytes: i64) -> Finding {
    let severity = Severity::of(bytes as f64, WAL.0, WAL.1);
    Finding::new("write_ahead_log", severity, format!("the write-ahead log has {}", size(bytes)))
        .measured("size", bytes, "bytes")
        .advise(
            "a reader that stays for long, such as a backup, keeps it from beginning anew; \
             afterwards, PRAGMA wal_checkpoint(TRUNCATE) empties it",
        )
}

async fn statistics(store: &Store) -> Result<Vec<Finding>> {
    let count = |rows: &[QueryResult]| -> Result<i64, DbErr> {
        rows.first().map_or(Ok(0), |row| row.try_get_by_index(0))
    };
    let tables = match count(&ask(store, STATISTICS).await?)? {
        0 => 0,
        _ => count(&ask(store, ANALYZED).await?)?,
    };
    let summary = match tables {
        0 => "there are no statistics of the tables: SQLite plans without them".to_owned(),
        tables => format!("there are statistics of {tables} tables"),
    };
    let finding = Finding::new("statistics", Severity::Ok, summary);
    Ok(vec![finding.measured("tables", tables, "tables")])
}

async fn integrity(store: &Store) -> Result<Vec<Finding>> {
    let rows = match ask(store, CHECK).await {
        Ok(rows) => rows,
        // What cannot even be read is damaged, too.
        Err(error) => return Ok(vec![soundness(&[error.to_string()])]),
    };
    let lines = rows.iter().map(|row| row.try_get_by_index::<String>(0));
    Ok(vec![soundness(&lines.collect::<Result<Vec<_>, _>>()?)])
}

fn soundness(lines: &[String]) -> Finding {
    let is_sound = lines == ["ok"];
    let (severity, summary) = match is_sound {
        true => (Severity::Ok, "the file is sound".to_owned()),
        false => (Severity::Critical, format!("the file is damaged: {}", lines.join("; "))),
    };
    Finding::new("integrity", severity, summary)
        .advise("stop the server, keep the file, and restore the last backup that `steward verify` finds whole")
}

async fn tables(store: &Store) -> Result<Vec<Finding>> {
    let mut sizes: Vec<(String, i64)> = Vec::new();
    for row in ask(store, SQLITE_SIZES).await? {
        let (table, bytes): (String, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(3)?);
        match sizes.iter_mut().find(|(known, _)| *known == table) {
            Some((_, sum)) => *sum += bytes,
            None => sizes.push((table, bytes)),
        }
    }
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let finding = |(table, bytes): (String, i64)| {
        let summary = format!("{table} has {} with its indexes", size(bytes));
        Finding::new("tables", Severity::Ok, summary).about(table).measured("size", bytes, "bytes")
    };
    Ok(sizes.into_iter().map(finding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_pages_are_told_when_they_are_many() {
        assert_eq!(space(1000, 4096, 900).severity, Severity::Ok, "a small file");
        assert_eq!(space(100_000, 4096, 10_000).severity, Severity::Ok, "a tenth");
        assert_eq!(space(100_000, 4096, 30_000).severity, Severity::Warning);
        assert_eq!(space(0, 4096, 0).severity, Severity::Ok);
    }

    #[test]
    fn a_file_is_written_ahead() {
        assert_eq!(journal("wal", true).severity, Severity::Ok);
        assert_eq!(journal("memory", false).severity, Severity::Ok);
        assert_eq!(journal("delete", true).severity, Severity::Critical);
    }

    #[test]
    fn a_long_log_and_a_damaged_file_are_told() {
        assert_eq!(log_size(8 << 20).severity, Severity::Ok);
        assert_eq!(log_size(65 << 20).severity, Severity::Warning);
        assert_eq!(log_size(2 << 30).severity, Severity::Critical);
        assert_eq!(soundness(&["ok".to_owned()]).severity, Severity::Ok);
        let damaged = soundness(&["row 1 missing from index a".to_owned()]);
        assert_eq!(damaged.severity, Severity::Critical);
        assert!(damaged.summary.contains("row 1 missing"), "{}", damaged.summary);
    }
}
