//! What this process knows itself: its pools, its open transactions, and the statements that took long.

use super::{
    Examination, Severity,
    report::{Finding, MAX_STATEMENTS, Notes, span},
};
use crate::store::{Pool, Store};

pub(super) fn examine(store: &Store, examination: Examination, notes: &mut Notes) {
    notes.findings.extend(store.pools().into_iter().map(pool));
    if let Some(queued) = store.writer_queue() {
        notes.findings.push(writer_queue(queued));
    }
    notes.findings.push(transaction(
        store.oldest_transaction().as_secs_f64(),
        examination.long_transaction.as_secs_f64(),
    ));
    let slowest = store.slowest_statements().into_iter().take(MAX_STATEMENTS);
    notes.statements.extend(slowest.map(Into::into));
}

fn pool(pool: Pool) -> Finding {
    let Pool { name, max, open, idle, waiting } = pool;
    let (max, open) = (i64::from(max), i64::from(open));
    let used = (open - i64::try_from(idle).unwrap_or_default()).max(0);
    let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
    // Who waits for SQLite's one writer is in its queue.
    let severity = Severity::warning_if(waiting > 0);
    let summary =
        format!("{used} of {max} connections are used, and {waiting} requests wait for one");
    Finding::new("pool", severity, summary)
        .about(name)
        .measured("used", used, "connections")
        .measured("max", max, "connections")
        .measured("waiting", waiting, "requests")
        .advise("raise --database-connections, or look for the statements that hold connections")
}

/// From how many writes on it is told that they wait, and that they wait for long.
const QUEUE: (f64, f64) = (256.0, 1024.0);

fn writer_queue(queued: usize) -> Finding {
    let queued = i64::try_from(queued).unwrap_or(i64::MAX);
    let severity = Severity::of(queued as f64, QUEUE.0, QUEUE.1);
    Finding::new("writer_queue", severity, format!("{queued} writes wait for the writer"))
        .measured("queued", queued, "writes")
        .advise("more is written than the disk commits: a faster disk, or PostgreSQL")
}

fn transaction(oldest: f64, long: f64) -> Finding {
    let severity = Severity::of(oldest, long, long * 10.0);
    let summary = if oldest > 0.0 {
        format!("the oldest transaction of the server is {} old", span(oldest))
    } else {
        "no transaction of the server is open".to_owned()
    };
    Finding::new("server_transactions", severity, summary)
        .measured("oldest", oldest, "seconds")
        .advise(
            "as long as it is open, SQLite's write-ahead log grows and PostgreSQL keeps dead rows",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_worth_a_warning_when_somebody_waits() {
        let free = Pool { name: "read", max: 10, open: 10, idle: 0, waiting: 0 };
        assert_eq!(pool(free).severity, Severity::Ok);
        let full = pool(Pool { waiting: 3, ..free });
        assert_eq!(full.severity, Severity::Warning);
        assert!(full.advice.is_some());
        let used: Vec<f64> = full.measurements.iter().map(|it| it.value).collect();
        assert_eq!(used, [10.0, 10.0, 3.0]);
    }

    #[test]
    fn a_transaction_is_as_severe_as_it_is_old() {
        let severity = |oldest| transaction(oldest, 60.0).severity;
        assert_eq!([0.0, 59.0].map(severity), [Severity::Ok; 2]);
        assert_eq!([60.0, 600.0].map(severity), [Severity::Warning, Severity::Critical]);
    }
}
