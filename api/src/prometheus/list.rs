//! Every metric of `/metrics`.

use service::store::Engine;

/// What a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows, from zero on, for as long as the process runs, or the statistics of the database last.
    Counter,
    /// Is what it is at the moment.
    Gauge,
    /// Counts values by how large they are.
    Histogram,
}

impl Kind {
    /// As the exposition format calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name, by Prometheus' conventions.
    pub name: &'static str,
    /// What it counts.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The database that it is of, if not of both.
    pub engine: Option<Engine>,
    /// What it says.
    pub help: &'static str,
}

use Kind::{Counter, Gauge, Histogram};

const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, labels, engine: None, help }
}

impl Metric {
    const fn on(self, engine: Engine) -> Self {
        Self { engine: Some(engine), ..self }
    }
}

/// Every metric, in the order of docs/operations.md, which `just docs` writes.
pub const METRICS: &[Metric] = &[
    metric(
        "steward_build_info",
        Gauge,
        &["version", "engine"],
        "1, with the version of steward and the database engine",
    ),
    metric(
        "steward_http_request_seconds",
        Histogram,
        &["method", "route", "status"],
        "duration of requests; `_count` is their number",
    ),
    metric(
        "steward_limit_decisions_total",
        Counter,
        &["policy", "outcome"],
        "requests and attempts that a limit let pass (`allowed`) or refused (`refused`)",
    ),
    metric(
        "steward_limit_alone_total",
        Counter,
        &["policy"],
        "decisions of limits that this node made alone, since Redis did not answer",
    ),
    metric("steward_event_streams", Gauge, &[], "open event streams"),
    metric(
        "steward_cache_requests_total",
        Counter,
        &["layer", "entity", "result"],
        "look-ups in the caches, by the layer that was asked (`memory`, `redis`) and whether it had the \
         value (`hit`, `miss`)",
    ),
    metric("steward_redis_request_seconds", Histogram, &["result"], "duration of calls of Redis"),
    metric(
        "steward_redis_refused_total",
        Counter,
        &[],
        "calls of Redis that the circuit breaker refused",
    ),
    metric(
        "steward_redis_circuit_opened_total",
        Counter,
        &[],
        "how often the circuit breaker of Redis opened",
    ),
    metric("steward_redis_circuit_open", Gauge, &[], "1 while the circuit breaker of Redis is open"),
    metric(
        "steward_pool_connections",
        Gauge,
        &["pool", "state"],
        "connections to the database that are `used` and `idle`",
    ),
    metric("steward_pool_connections_max", Gauge, &["pool"], "connections that a pool may open"),
    metric("steward_pool_waiting", Gauge, &["pool"], "requests that wait for a connection"),
    metric(
        "steward_pool_acquire_seconds",
        Histogram,
        &["pool"],
        "how long it took to get a connection",
    ),
    metric(
        "steward_statement_seconds",
        Histogram,
        &["operation", "result"],
        "duration of statements, without BEGIN and COMMIT",
    ),
    metric(
        "steward_slow_statements_total",
        Counter,
        &["fingerprint", "statement"],
        "statements that took at least `--slow-statement`, by fingerprint; after the first 50 \
         fingerprints, `other`",
    ),
    metric("steward_writer_queue", Gauge, &[], "writes that wait for SQLite's writer")
        .on(Engine::Sqlite),
    metric("steward_writer_batch", Histogram, &[], "writes in one commit").on(Engine::Sqlite),
    metric("steward_writer_failed", Gauge, &[], "1 while SQLite's writer cannot write")
        .on(Engine::Sqlite),
    metric(
        "steward_transaction_retries_total",
        Counter,
        &[],
        "transactions that ran again because of another one",
    )
    .on(Engine::Postgres),
    metric("steward_replica_up", Gauge, &[], "1 while the replica serves reads")
        .on(Engine::Postgres),
    metric(
        "steward_replica_lag_bytes",
        Gauge,
        &[],
        "what of the primary's log the replica has not replayed",
    )
    .on(Engine::Postgres),
    metric(
        "steward_replica_wait_seconds",
        Histogram,
        &[],
        "how long reads waited for the replica to show what their readers were shown",
    )
    .on(Engine::Postgres),
    metric(
        "steward_replica_reads_total",
        Counter,
        &["outcome"],
        "reads that may be made on the replica: `served` there, or on the primary since it was `away` or `behind`, or \
         the read `failed` there",
    )
    .on(Engine::Postgres),
    metric(
        "steward_lease_held",
        Gauge,
        &["lease"],
        "1 if this node holds the lease, 0 if another does",
    ),
    metric("steward_events_waiting", Gauge, &[], "events without a position, at most 10000"),
    metric(
        "steward_events_waiting_seconds",
        Gauge,
        &[],
        "how long events have waited for a position that no node assigns",
    ),
    metric(
        "steward_consumer_lag_events",
        Gauge,
        &["consumer"],
        "events that a consumer has not processed",
    ),
    metric(
        "steward_consumer_lag_seconds",
        Gauge,
        &["consumer"],
        "age of the oldest event that a consumer has not processed",
    ),
    metric(
        "steward_consumer_parked_events",
        Gauge,
        &["consumer"],
        "events that a consumer has given up on (`steward events parked`)",
    ),
    metric(
        "steward_webhook_lag_events",
        Gauge,
        &[],
        "events that webhooks have not turned into deliveries, summed over webhooks",
    ),
    metric("steward_webhook_lag_seconds", Gauge, &[], "age of the oldest of these events"),
    metric(
        "steward_webhook_pending_deliveries",
        Gauge,
        &[],
        "deliveries that are not delivered yet, at most 10000",
    ),
    metric(
        "steward_webhook_overdue_seconds",
        Gauge,
        &[],
        "how long the first of these has been due",
    ),
    metric(
        "steward_document_pending_writes",
        Gauge,
        &[],
        "documents that the store of documents has not taken yet, at most 10000",
    ),
    metric(
        "steward_document_pending_seconds",
        Gauge,
        &[],
        "how long the first of these has waited",
    ),
    metric(
        "steward_document_recoveries_total",
        Counter,
        &[],
        "documents that the store of documents has lost, and that were read from the log",
    ),
    metric("steward_sagas_due", Gauge, &[], "sagas whose next step is due, at most 10000"),
    metric("steward_sagas_due_seconds", Gauge, &[], "how long the first of these has been due"),
    metric("steward_database_size_bytes", Gauge, &[], "size of the database"),
    metric("steward_database_free_bytes", Gauge, &[], "free pages in the file").on(Engine::Sqlite),
    metric("steward_database_wal_bytes", Gauge, &[], "size of the write-ahead log")
        .on(Engine::Sqlite),
    metric(
        "steward_database_connections",
        Gauge,
        &[],
        "connections to the server, of all its clients",
    )
    .on(Engine::Postgres),
    metric("steward_database_connections_max", Gauge, &[], "`max_connections` of the server")
        .on(Engine::Postgres),
    metric("steward_database_locks_waiting", Gauge, &[], "locks that sessions wait for")
        .on(Engine::Postgres),
    metric(
        "steward_database_oldest_transaction_seconds",
        Gauge,
        &[],
        "age of the oldest open transaction: of this process on SQLite, of all clients of the \
         database on PostgreSQL",
    ),
    metric("steward_table_size_bytes", Gauge, &["table"], "size of a table without its indexes"),
    metric("steward_index_size_bytes", Gauge, &["table", "index"], "size of an index"),
    metric(
        "steward_index_scans_total",
        Counter,
        &["table", "index"],
        "uses of an index since PostgreSQL's statistics began",
    )
    .on(Engine::Postgres),
    metric(
        "steward_unused_indexes",
        Gauge,
        &[],
        "indexes that were never used since then and are not unique",
    )
    .on(Engine::Postgres),
    metric(
        "steward_measurement_timestamp_seconds",
        Gauge,
        &["measurement"],
        "when what is measured in the background was last measured, in Unix time",
    ),
];

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::PathBuf};

    use super::*;

    #[test]
    fn names_keep_the_conventions() {
        let mut names = HashSet::new();
        for Metric { name, kind, labels, help, .. } in METRICS {
            assert!(names.insert(name), "{name} is there twice");
            let is_letter = |it: char| it.is_ascii_lowercase() || it == '_';
            assert!(name.starts_with("steward_") && name.chars().all(is_letter), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Counter, "{name} is a {kind:?}");
            let reserved = ["_sum", "_count", "_bucket"];
            assert!(!reserved.iter().any(|suffix| name.ends_with(suffix)), "{name}");
            let words: Vec<&str> = name.split('_').collect();
            for word in ["counter", "gauge", "histogram", "ms", "millis", "kib", "mib", "percent"] {
                assert!(!words.contains(&word), "{name}");
            }
            let unit = words.iter().position(|it| ["seconds", "bytes"].contains(it));
            let end = words.len() - usize::from(*kind == Counter);
            assert!(unit.is_none_or(|at| at + 1 == end), "{name}: the unit is last");
            assert!(!labels.contains(&"le") && labels.iter().all(|it| it.chars().all(is_letter)));
            assert!(!help.is_empty() && !help.ends_with('.'), "{name}: {help}");
        }
    }

    /// The names of metrics in the sources, but for those of the list.
    fn recorded() -> HashSet<String> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut folders: Vec<PathBuf> =
            ["api/src", "service/src", "service/platform/src"].map(|it| root.join(it)).into();
        let mut names = HashSet::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("prometheus/list.rs") {
                    let source = fs::read_to_string(path).unwrap();
                    let quoted = source.split("\"steward_").skip(1);
                    let name = quoted.filter_map(|rest| rest.split('"').next());
                    names.extend(name.map(|name| format!("steward_{name}")));
                }
            }
        }
        names
    }

    #[test]
    fn every_metric_that_is_recorded_is_in_the_list() {
        let listed: HashSet<String> = METRICS.iter().map(|it| it.name.to_owned()).collect();
        let recorded = recorded();
        let unlisted: Vec<_> = recorded.difference(&listed).collect();
        assert_eq!(unlisted, Vec::<&String>::new(), "METRICS lacks them");
        assert!(recorded.len() > METRICS.len() / 2, "the sources were read");
    }
}
