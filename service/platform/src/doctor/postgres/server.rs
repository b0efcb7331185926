//! The server as a whole, and the database.

use super::{
    super::{
        Severity,
        report::{Finding, size},
    },
    ask, one,
};
use crate::{error::Result, store::Store};

const CONNECTIONS: &str = "\
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), \
      CAST(current_setting('max_connections') AS bigint), \
      CAST(current_setting('superuser_reserved_connections') AS bigint)";

pub(super) async fn connections(store: &Store) -> Result<Vec<Finding>> {
    let row = one(store, CONNECTIONS).await?;
    Ok(vec![connection_use(row.int(0)?, row.int(1)? - row.int(2)?)])
}

fn connection_use(open: i64, most: i64) -> Finding {
    let share = open as f64 / most.max(1) as f64;
    let severity = Severity::of(share, 0.8, 0.95);
    let summary = format!("{open} of {most} connections of the server are open");
    Finding::new("connections", severity, summary)
        .measured("open", open, "connections")
        .measured("max", most, "connections")
        .advise("lower --database-connections of each node, put a pooler before it, or raise max_connections")
}

const SIZE: &str = "SELECT pg_database_size(current_database())";

pub(super) async fn size_of_all(store: &Store) -> Result<Vec<Finding>> {
    let bytes = one(store, SIZE).await?.int(0)?;
    let finding = Finding::new("size", Severity::Ok, format!("the database has {}", size(bytes)));
    Ok(vec![finding.measured("size", bytes, "bytes")])
}

const CACHE: &str = "\
    SELECT blks_hit, blks_read, deadlocks, temp_bytes FROM pg_stat_database \
    WHERE datname = current_database()";

pub(super) async fn cache(store: &Store) -> Result<Vec<Finding>> {
    let row = one(store, CACHE).await?;
    Ok(vec![hits(row.int(0)?, row.int(1)?), deadlocks(row.int(2)?)])
}

/// From how many blocks on their share says something.
const MIN_BLOCKS: i64 = 100_000;

fn hits(hit: i64, read: i64) -> Finding {
    let all = hit + read;
    let share = if all == 0 { 1.0 } else { hit as f64 / all as f64 };
    let severity = Severity::warning_if(all >= MIN_BLOCKS && share < 0.9);
    let summary =
        format!("{:.1} % of the blocks that were asked for were in memory", share * 100.0);
    Finding::new("cache", severity, summary)
        .measured("hit_ratio", share, "ratio")
        .measured("blocks", all, "blocks")
        .advise("raise shared_buffers to a quarter of the memory, or look for statements that read much")
}

fn deadlocks(count: i64) -> Finding {
    let summary =
        format!("{count} transactions were ended by a deadlock since the statistics began");
    Finding::new("deadlocks", Severity::Ok, summary).measured("deadlocks", count, "transactions")
}

const SLOTS: &str = "\
    SELECT CAST(slot_name AS text), active, coalesce(wal_status, ''), \
      CAST(coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
        ELSE pg_current_wal_lsn() END, restart_lsn), 0) AS bigint) \
    FROM pg_replication_slots ORDER BY 4 DESC";

pub(super) async fn replication_slots(store: &Store) -> Result<Vec<Finding>> {
    let rows = ask(store, SLOTS).await?;
    let slot = |row: &super::Row| {
        let (name, status) = (row.text(0)?, row.text(2)?);
        Ok(slot(&name, row.get(1)?, &status, row.int(3)?))
    };
    rows.iter().map(slot).collect()
}

/// How much a slot that nobody reads keeps when it is critical, in bytes.
const KEPT: i64 = 1 << 30;

fn slot(name: &str, active: bool, status: &str, kept: i64) -> Finding {
    let severity = match status {
        "lost" | "unreserved" => Severity::Critical,
        _ if active => Severity::Ok,
        _ if kept >= KEPT => Severity::Critical,
        _ => Severity::Warning,
    };
    let state = if active { "is read" } else { "is read by nobody" };
    let summary = format!("{name} {state}, and keeps {} of the write-ahead log", size(kept));
    Finding::new("replication_slots", severity, summary)
        .about(name)
        .measured("kept", kept, "bytes")
        .advise("start its replica, or drop the slot: the log that it keeps fills the disk (max_slot_wal_keep_size)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_used_up_is_told() {
        let severity = |open| connection_use(open, 97).severity;
        assert_eq!(
            [10, 78, 96].map(severity),
            [Severity::Ok, Severity::Warning, Severity::Critical]
        );
    }

    #[test]
    fn a_share_of_few_blocks_says_nothing() {
        assert_eq!(hits(0, 0).severity, Severity::Ok);
        assert_eq!(hits(10, 90).severity, Severity::Ok);
        assert_eq!(hits(100_000, 900_000).severity, Severity::Warning);
        assert_eq!(hits(990_000, 10_000).severity, Severity::Ok);
    }

    #[test]
    fn a_slot_that_nobody_reads_is_told() {
        assert_eq!(slot("a", true, "reserved", 2 << 30).severity, Severity::Ok);
        assert_eq!(slot("a", false, "reserved", 10).severity, Severity::Warning);
        assert_eq!(slot("a", false, "extended", 2 << 30).severity, Severity::Critical);
        assert_eq!(slot("a", true, "lost", 0).severity, Severity::Critical);
    }
}
