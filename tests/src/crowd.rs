//! Thousands of rows in an organization, copied by the database from those of a sample.

use sea_orm::ConnectionTrait;
use service::{Store, store::Engine};

use crate::Sample;

/// The writing of values, which differs between the databases.
#[derive(Debug, Clone, Copy)]
struct Literals(Engine);

impl Literals {
    fn uuid(self, id: &str) -> String {
        match self.0 {
            Engine::Sqlite => format!("x'{}'", id.replace('-', "")),
            Engine::Postgres => format!("'{id}'::uuid"),
        }
    }

    /// Another for each row.
    fn new_uuid(self) -> &'static str {
        match self.0 {
            Engine::Sqlite => "randomblob(16)",
            Engine::Postgres => "gen_random_uuid()",
        }
    }

    /// As many days, and so many at a time, after the beginning of 1900 as the row's number says.
    fn day(self, step: u32) -> String {
        match self.0 {
            Engine::Sqlite => format!("date('1900-01-01', (n.i * {step}) || ' days')"),
            Engine::Postgres => format!("(date '1900-01-01' + n.i * {step})"),
        }
    }

    /// As many minutes after the beginning of 1900.
    fn instant(self) -> &'static str {
        match self.0 {
            Engine::Sqlite => {
                "strftime('%Y-%m-%d %H:%M:%S+00:00', '1900-01-01', n.i || ' minutes')"
            }
            Engine::Postgres => "(timestamptz '1900-01-01 00:00:00Z' + n.i * interval '1 minute')",
        }
    }
}

/// How the copies of one row differ from it.
struct Copies<'a> {
    table: &'static str,
    /// Which row: its column, and what is in it.
    of: (&'static str, &'a str),
    set: Vec<(&'static str, String)>,
}

/// The tables of which an organization has few rows, however old it is.
const FEW: &[&str] = &[
    "account",
    "api_key",
    "budget",
    "category",
    "collection",
    "invitation",
    "member",
    "meter",
    "project",
    "rule",
    "webhook",
];

/// Copies the sample's rows: `count` of each kind that grows with the years. What filters ask for by reference is
/// one and the same for all of them: the payer, the site, the category, the task and the tag `common`.
///
/// # Panics
/// If the database refuses.
pub async fn fill(store: &Store, sample: &Sample, count: u32) {
    let mut statements = Vec::new();
    let literals = Literals(store.engine());
    let mut all = copies(literals, sample);
    let others = others(literals, sample, &all);
    all.extend(others);
    for copies in all {
        statements.push(copies.statement(store, sample, literals, count).await);
    }
    statements.extend(named(literals, sample));
    statements.push("ANALYZE".to_owned());
    let filled = store.write(async move |tx| {
        for statement in &statements {
            tx.execute_unprepared(statement).await?;
        }
        Ok(())
    });
    filled.await.unwrap();
}

fn copies(literals: Literals, sample: &Sample) -> Vec<Copies<'_>> {
    let id = || ("id", literals.new_uuid().to_owned());
    let reference = |name| literals.uuid(sample.value(name));
    let day = |step| literals.day(step);
    let at = || literals.instant().to_owned();
    let text = |prefix: &str| format!("'{prefix} ' || n.i");
    let null = || "NULL".to_owned();
    vec![
        Copies {
            table: "expense",
            of: ("id", sample.value("expense_id")),
            set: vec![
                id(),
                ("created_at", at()),
                ("spent_on", day(1)),
                ("amount_minor", "n.i + 1".into()),
                ("merchant_key", text("shop")),
                ("search_key", text("shop")),
                ("category_id", reference("category_id")),
                ("project_id", reference("site")),
                // At the latitude 0 and the longitude 0.
                ("latitude_e7", "0".into()),
                ("longitude_e7", "0".into()),
                ("x_cm", "637100880".into()),
                ("y_cm", "0".into()),
                ("z_cm", "0".into()),
                ("item_count", "0".into()),
            ],
        },
        Copies {
            table: "task",
            of: ("id", sample.value("task_id")),
            set: vec![
                id(),
                ("due_key", format!("{} || 'T24'", day(1))),
                ("due_on", day(1)),
                ("assignee_member_id", reference("payer")),
                ("project_id", reference("site")),
                ("search_key", text("task")),
                ("previous_task_id", null()),
                ("recurrence", null()),
                ("recurs_from", null()),
            ],
        },
        Copies {
            table: "time_entry",
            of: ("id", sample.value("time_entry_id")),
            set: vec![
                id(),
                ("running_member_id", null()),
                ("started_at", at()),
                ("ended_at", at()),
                ("updated_at", at()),
                ("day", day(1)),
                ("member_id", reference("payer")),
                ("project_id", reference("site")),
                ("task_id", reference("task_id")),
                ("search_key", text("work")),
            ],
        },
        Copies {
            table: "document",
            of: ("collection_id", sample.value("collection")),
            set: vec![id(), ("key", text("note"))],
        },
        Copies {
            table: "reading",
            of: ("meter_id", sample.value("meter")),
            set: vec![("at", "t.at + n.i".into())],
        },
        Copies {
            table: "rate",
            of: ("id", sample.value("rate_id")),
            set: vec![id(), ("starts_on", day(1))],
        },
        Copies {
            table: "timecard",
            of: ("id", sample.value("timecard_id")),
            set: vec![id(), ("week_starts_on", day(7))],
        },
        Copies {
            table: "daily_report",
            of: ("id", sample.value("daily_report_id")),
            set: vec![id(), ("day", day(1)), ("search_key", text("report"))],
        },
        Copies {
            table: "incident",
            of: ("id", sample.value("incident_id")),
            set: vec![
                id(),
                ("case_number", "1000 + n.i".into()),
                ("occurred_at", at()),
                ("project_id", reference("site")),
                // Sealed for the row that they are copied from.
                ("body_part", null()),
                ("narrative", null()),
                ("witnesses", null()),
            ],
        },
        Copies {
            table: "journal_entry",
            of: ("id", sample.value("journal_entry_id")),
            set: vec![id(), ("occurred_on", day(1)), ("reverses_id", null())],
        },
        Copies {
            table: "saga",
            of: ("id", sample.value("saga_id")),
            set: vec![
                id(),
                ("created_at", at()),
                ("due_at", null()),
                ("state", "'completed'".into()),
            ],
        },
        Copies {
            table: "webhook_delivery",
            of: ("id", sample.value("delivery_id")),
            set: vec![
                id(),
                ("created_at", at()),
                ("state", "'delivered'".into()),
                ("claimed_until", null()),
            ],
        },
        Copies {
            table: "import",
            of: ("id", sample.value("import_id")),
            set: vec![id(), ("created_at", at()), ("staging_until", null())],
        },
        Copies {
            table: "event",
            of: ("entity_id", sample.value("expense_id")),
            set: vec![
                id(),
                ("at", at()),
                ("position", "1000 + n.i".into()),
                ("entity_version", "1000 + n.i".into()),
            ],
        },
    ]
}

/// Of tables whose copies differ in nothing but the id, and the name where they have one.
fn others<'a>(literals: Literals, sample: &'a Sample, known: &[Copies<'_>]) -> Vec<Copies<'a>> {
    let mut rows = sample.rows();
    rows.retain(|(_, id)| known.iter().all(|copies| copies.of.1 != *id));
    // What clients name otherwise is copied above.
    rows.retain(|(_, id)| uuid::Uuid::try_parse(id).is_ok());
    let tables = rows.into_iter().filter_map(|(name, id)| Some((name.strip_suffix("_id")?, id)));
    let tables = tables.filter(|(table, _)| !FEW.contains(table));
    let set =
        || vec![("id", literals.new_uuid().to_owned()), ("name_key", "'name ' || n.i".to_owned())];
    tables.map(|(table, id)| Copies { table, of: ("id", id), set: set() }).collect()
}

/// What rows are found by besides themselves.
fn named(literals: Literals, sample: &Sample) -> Vec<String> {
    let home = format!("organization_id = {}", literals.uuid(sample.value("organization_id")));
    let site = literals.uuid(sample.value("site"));
    let (debit, credit) =
        (literals.uuid(sample.value("debit")), literals.uuid(sample.value("credit")));
    let card = literals.uuid(sample.value("timecard_id"));
    let new = literals.new_uuid();
    let without = |table: &str, child: &str| {
        format!(
            "{home} AND NOT EXISTS (SELECT 1 FROM {child} c WHERE c.{home} AND c.{table}_id = {table}.id)"
        )
    };
    vec![
        format!(
            "INSERT INTO expense_project (organization_id, expense_id, project_id) \
             SELECT organization_id, id, {site} FROM expense \
             WHERE project_id = {site} AND {}",
            without("expense", "expense_project")
        ),
        format!(
            "INSERT INTO expense_tag (organization_id, expense_id, tag_key) \
             SELECT organization_id, id, 'common' FROM expense WHERE {home}"
        ),
        format!(
            "INSERT INTO task_tag (organization_id, task_id, tag_key, due_key) \
             SELECT organization_id, id, 'common', due_key FROM task WHERE {home}"
        ),
        format!(
            "INSERT INTO time_entry_tag (organization_id, time_entry_id, tag_key) \
             SELECT organization_id, id, 'common' FROM time_entry WHERE {home}"
        ),
        format!(
            "INSERT INTO time_entry_day (organization_id, time_entry_id, day, timecard_id, member_id, \
             project_id, task_id, billable, seconds) \
             SELECT organization_id, id, day, {card}, member_id, project_id, task_id, billable, 60 \
             FROM time_entry WHERE {}",
            without("time_entry", "time_entry_day")
        ),
        format!(
            "INSERT INTO daily_report_item (organization_id, daily_report_id, position, kind, text, \
             search_key) SELECT organization_id, id, 0, 'work', 'Rafters', 'rafters' \
             FROM daily_report WHERE {}",
            without("daily_report", "daily_report_item")
        ),
        format!(
            "INSERT INTO transfer (organization_id, id, entry_id, position, debit_account_id, \
             credit_account_id, amount_minor, currency) \
             SELECT organization_id, {new}, id, 0, {debit}, {credit}, 1, 'EUR' \
             FROM journal_entry WHERE {home} AND NOT EXISTS (SELECT 1 FROM transfer t \
             WHERE t.{home} AND t.entry_id = journal_entry.id)"
        ),
    ]
}

impl Copies<'_> {
    async fn statement(
        &self,
        store: &Store,
        sample: &Sample,
        literals: Literals,
        count: u32,
    ) -> String {
        let Self { table, of: (key, value), set } = self;
        let columns = columns(store, table).await;
        let values = columns.iter().map(|column| {
            let other = set.iter().find(|(name, _)| name == column);
            other.map_or(format!("t.\"{column}\""), |(_, value)| value.clone())
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let columns = columns.join("\", \"");
        let home = literals.uuid(sample.value("organization_id"));
        let of = literals.uuid(value);
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}), \
             t AS (SELECT * FROM \"{table}\" WHERE organization_id = {home} AND {key} = {of} LIMIT 1) \
             INSERT INTO \"{table}\" (\"{columns}\") SELECT {values} FROM t, n"
        )
    }
}

async fn columns(store: &Store, table: &str) -> Vec<String> {
    let sql = match store.engine() {
        Engine::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
        Engine::Postgres => format!(
            "SELECT column_name::text AS name FROM information_schema.columns \
             WHERE table_name = '{table}' AND table_schema = current_schema()"
        ),
    };
    let backend = store.read().get_database_backend();
    let rows = store.read().query_all_raw(sea_orm::Statement::from_string(backend, sql));
    let rows = rows.await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}
