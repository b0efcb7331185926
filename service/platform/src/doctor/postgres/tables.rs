//! The tables and their indexes: what is dead in them, and how they are read.

use sea_orm::DbErr;

use super::{
    super::{
        Severity,
        report::{Finding, size, span},
    },
    Row, ask, one,
};
use crate::{error::Result, store::Store};

/// The findings, or one that says that there is nothing to find.
fn or_none(check: &'static str, none: &str, found: Vec<Finding>) -> Vec<Finding> {
    match found.is_empty() {
        true => vec![Finding::new(check, Severity::Ok, none.to_owned())],
        false => found,
    }
}

const DEAD: &str = "\
    SELECT CAST(relname AS text), n_live_tup, n_dead_tup, \
      CAST(extract(epoch FROM clock_timestamp() - greatest(last_vacuum, last_autovacuum)) AS float8) \
    FROM pg_stat_user_tables WHERE schemaname = current_schema() AND n_dead_tup >= 10000 \
    ORDER BY n_dead_tup DESC LIMIT 50";

pub(super) async fn vacuum(store: &Store) -> Result<Vec<Finding>> {
    let rows = ask(store, DEAD).await?;
    let finding = |row: &Row| Ok(dead(&row.text(0)?, row.int(1)?, row.int(2)?, row.get(3)?));
    let found = rows.iter().map(finding).collect::<Result<_, DbErr>>()?;
    Ok(or_none("vacuum", "no table has 10000 dead rows", found))
}

fn dead(table: &str, live: i64, dead: i64, vacuumed: Option<f64>) -> Finding {
    let share = dead as f64 / (live + dead).max(1) as f64;
    let severity = match share {
        it if it >= 0.5 && dead >= 1_000_000 => Severity::Critical,
        it => Severity::warning_if(it >= 0.2),
    };
    let when = match vacuumed {
        Some(seconds) => format!("was last vacuumed {} ago", span(seconds)),
        None => "was never vacuumed".to_owned(),
    };
    let summary = format!("{table} has {dead} dead rows besides {live} live ones, and {when}");
    Finding::new("vacuum", severity, summary)
        .about(table)
        .measured("live_rows", live, "rows")
        .measured("dead_rows", dead, "rows")
        .advise(format!(
            "VACUUM (ANALYZE) \"{table}\", and lower its autovacuum_vacuum_scale_factor; a long transaction or a \
             replication slot may keep the rows"
        ))
}

const TRANSACTION_IDS: &str = "\
    SELECT CAST(age(datfrozenxid) AS bigint), current_setting('autovacuum') \
    FROM pg_database WHERE datname = current_database()";

pub(super) async fn transaction_ids(store: &Store) -> Result<Vec<Finding>> {
    let row = one(store, TRANSACTION_IDS).await?;
    Ok(vec![age(row.int(0)?), autovacuum(&row.text(1)?)])
}

/// PostgreSQL refuses writes when some 2.1 billion are reached.
fn age(age: i64) -> Finding {
    let severity = Severity::of(age as f64, 0.5e9, 1.5e9);
    let summary = format!("the oldest transaction id is {age} transactions old, of 2.1 billion");
    Finding::new("transaction_ids", severity, summary).measured("age", age, "transactions").advise(
        "end old transactions, drop replication slots that nobody reads, and VACUUM (FREEZE)",
    )
}

fn autovacuum(setting: &str) -> Finding {
    let severity = Severity::warning_if(setting != "on");
    Finding::new("autovacuum", severity, format!("autovacuum is {setting}")).advise(
        "turn it on: nothing else removes dead rows and keeps transaction ids from running out",
    )
}

/// By the widths that ANALYZE has found. A page has a header of 24 bytes, a row one of 24 and a pointer of 4.
const BLOAT: &str = "\
    SELECT CAST(c.relname AS text), pg_relation_size(c.oid), \
      CAST(c.reltuples * (w.width + 28) * b.size / (b.size - 24) AS bigint) \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
      CROSS JOIN (SELECT CAST(current_setting('block_size') AS float8) AS size) b \
      CROSS JOIN LATERAL (SELECT sum((1 - s.null_frac) * s.avg_width) AS width FROM pg_stats s \
        WHERE s.schemaname = n.nspname AND s.tablename = c.relname) w \
    WHERE c.relkind = 'r' AND n.nspname = current_schema() AND c.reltuples > 0 \
      AND w.width IS NOT NULL AND pg_relation_size(c.oid) >= 67108864 \
    ORDER BY 2 DESC LIMIT 50";

pub(super) async fn bloat(store: &Store) -> Result<Vec<Finding>> {
    let rows = ask(store, BLOAT).await?;
    let finding = |row: &Row| Ok(bloated(&row.text(0)?, row.int(1)?, row.int(2)?));
    let found: Vec<Option<Finding>> = rows.iter().map(finding).collect::<Result<_, DbErr>>()?;
    let found = found.into_iter().flatten().collect();
    Ok(or_none("bloat", "no table is estimated to be half empty", found))
}

/// How much is empty when it is told, in bytes.
const EMPTY: i64 = 64 << 20;

fn bloated(table: &str, bytes: i64, needed: i64) -> Option<Finding> {
    let empty = bytes - needed;
    if empty < EMPTY || bytes < 2 * needed {
        return None;
    }
    let summary =
        format!("{table} has {}, of which an estimated {} are empty", size(bytes), size(empty));
    let finding = Finding::new("bloat", Severity::Warning, summary)
        .about(table)
        .measured("size", bytes, "bytes")
        .measured("empty", empty, "bytes");
    Some(finding.advise(format!(
        "it is reused as rows are added; pg_repack gives it back while steward runs, and VACUUM FULL \"{table}\" \
         while it does not"
    )))
}

const SCANS: &str = "\
    SELECT CAST(relname AS text), seq_scan, seq_tup_read, coalesce(idx_scan, 0), n_live_tup \
    FROM pg_stat_user_tables \
    WHERE schemaname = current_schema() AND seq_scan > 0 AND n_live_tup >= 10000 \
    ORDER BY seq_tup_read DESC LIMIT 50";

pub(super) async fn sequential_scans(store: &Store) -> Result<Vec<Finding>> {
    let rows = ask(store, SCANS).await?;
    let finding = |row: &Row| {
        let reads = Reads { scans: row.int(1)?, rows: row.int(2)?, by_index: row.int(3)? };
        Ok(scanned(&row.text(0)?, reads, row.int(4)?))
    };
    let found: Vec<Option<Finding>> = rows.iter().map(finding).collect::<Result<_, DbErr>>()?;
    let found = found.into_iter().flatten().collect();
    Ok(or_none("sequential_scans", "no large table is often read as a whole", found))
}

/// How a table is read.
#[derive(Clone, Copy)]
struct Reads {
    scans: i64,
    rows: i64,
    by_index: i64,
}

/// Often, and not only in part, as a backup is and a report may be: there is a statement that lacks an index.
fn scanned(table: &str, reads: Reads, live: i64) -> Option<Finding> {
    let Reads { scans, rows, by_index } = reads;
    let each = rows / scans.max(1);
    if scans < 50 || each < 10_000 || scans * 10 < by_index + scans {
        return None;
    }
    let summary = format!(
        "{table} was read as a whole {scans} times, {each} rows each time, and {by_index} times by an index"
    );
    let finding = Finding::new("sequential_scans", Severity::Warning, summary)
        .about(table)
        .measured("scans", scans, "scans")
        .measured("rows_read", rows, "rows")
        .measured("live_rows", live, "rows")
        .measured("index_scans", by_index, "scans");
    Some(finding.advise(
        "an index is missing: the slow statements of this report on the table, and their plans, say of which columns",
    ))
}

/// With how long the statistics have been kept, which a reset or a crash begins anew.
const INDEXES: &str = "\
    SELECT CAST(s.indexrelname AS text), CAST(s.relname AS text), pg_relation_size(s.indexrelid), \
      i.indisvalid, \
      CAST(extract(epoch FROM clock_timestamp() - d.stats_reset) AS float8) \
    FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid \
      JOIN pg_stat_database d ON d.datname = current_database() \
    WHERE s.schemaname = current_schema() \
      AND (NOT i.indisvalid OR (s.idx_scan = 0 AND NOT i.indisunique \
        AND pg_relation_size(s.indexrelid) >= 1048576)) \
    ORDER BY 3 DESC LIMIT 50";

pub(super) async fn indexes(store: &Store) -> Result<Vec<Finding>> {
    let rows = ask(store, INDEXES).await?;
    let finding = |row: &Row| {
        let (index, table, bytes) = (row.text(0)?, row.text(1)?, row.int(2)?);
        Ok(match row.get(3)? {
            true => unused(&index, &table, bytes, row.get(4)?),
            false => invalid(&index, &table),
        })
    };
    let found = rows.iter().map(finding).collect::<Result<_, DbErr>>()?;
    Ok(or_none("indexes", "every index of more than 1 MiB was used", found))
}

/// How large an index is that is worth removing, in bytes.
const LARGE: i64 = 64 << 20;

fn unused(index: &str, table: &str, bytes: i64, since: Option<f64>) -> Finding {
    let severity = Severity::warning_if(bytes >= LARGE);
    let since = since.map_or("the statistics began".to_owned(), |it| format!("{} ago", span(it)));
    let summary = format!("{index} of {table} has {}, and was not used since {since}", size(bytes));
    Finding::new("indexes", severity, summary)
        .about(index)
        .measured("size", bytes, "bytes")
        .advise("if no replica uses it, and no yearly report, each write to the table is cheaper without it")
}

fn invalid(index: &str, table: &str) -> Finding {
    let summary = format!("{index} of {table} is not valid: making it was interrupted");
    Finding::new("indexes", Severity::Warning, summary)
        .about(index)
        .advise(format!("REINDEX INDEX CONCURRENTLY \"{index}\", or drop it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_rows_are_told_by_their_share() {
        let severity = |live, rows| dead("t", live, rows, None).severity;
        assert_eq!(severity(1_000_000, 20_000), Severity::Ok);
        assert_eq!(severity(50_000, 20_000), Severity::Warning);
        assert_eq!(severity(900_000, 1_000_000), Severity::Critical);
        assert!(dead("t", 1, 10_000, None).summary.contains("never vacuumed"));
        assert!(dead("t", 1, 10_000, Some(7200.0)).summary.contains("2 hours ago"));
    }

    #[test]
    fn a_table_that_is_read_as_a_whole_is_told_where_it_is_often_and_large() {
        let told =
            |scans, rows, by_index| scanned("t", Reads { scans, rows, by_index }, 20_000).is_some();
        assert!(told(60, 60 * 20_000, 0));
        assert!(!told(40, 40 * 20_000, 0), "now and then");
        assert!(!told(60, 60 * 100, 0), "the first rows of it");
        assert!(!told(60, 60 * 20_000, 1_000_000), "the exception");
    }

    #[test]
    fn what_is_half_empty_is_told() {
        assert!(bloated("t", 300 << 20, 100 << 20).is_some());
        assert!(bloated("t", 300 << 20, 200 << 20).is_none());
        assert!(bloated("t", 60 << 20, 1 << 20).is_none(), "a small one");
    }

    #[test]
    fn ids_run_out() {
        let ages = [1_000, 500_000_000, 1_500_000_000].map(|it| age(it).severity);
        assert_eq!(ages, [Severity::Ok, Severity::Warning, Severity::Critical]);
        assert_eq!(autovacuum("on").severity, Severity::Ok);
        assert_eq!(autovacuum("off").severity, Severity::Warning);
    }

    #[test]
    fn an_unused_index_is_told_where_it_is_large() {
        assert_eq!(unused("i", "t", 2 << 20, None).severity, Severity::Ok);
        assert_eq!(unused("i", "t", 65 << 20, Some(86_400.0)).severity, Severity::Warning);
        assert_eq!(invalid("i", "t").severity, Severity::Warning);
    }
}
