//! While a new version is rolled out, nodes of the one before meet rows that it has written: what they do not know of
//! one, they neither show as something else nor write over.

use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};
use service::store::{Engine, Store};
use tests::{App, Database, Route, Sample, each_database};
use uuid::Uuid;

/// A column, by its table, and what no version knows that is written into it.
type Unknown = (&'static str, &'static str, &'static str);

/// By the variable of the row's path.
const UNKNOWN: &[(&str, Unknown)] = &[
    ("account_id", ("account", "kind", "from_tomorrow")),
    ("api_key_id", ("api_key", "role", "from_tomorrow")),
    ("budget_id", ("budget", "period", "from_tomorrow")),
    ("category_id", ("category", "kind", "from_tomorrow")),
    ("collection_id", ("collection", "read_role", "from_tomorrow")),
    ("daily_report_id", ("daily_report", "status", "from_tomorrow")),
    ("expense_id", ("expense", "status", "from_tomorrow")),
    ("incident_id", ("incident", "status", "from_tomorrow")),
    ("invitation_id", ("invitation", "role", "from_tomorrow")),
    ("member_id", ("member", "role", "from_tomorrow")),
    ("meter_id", ("meter", "kind", "from_tomorrow")),
    ("project_id", ("project", "status", "from_tomorrow")),
    ("rule_id", ("rule", "actions", r#"[{"from_tomorrow":1}]"#)),
    ("saga_id", ("saga", "state", "from_tomorrow")),
    ("task_id", ("task", "priority", "from_tomorrow")),
    ("time_entry_id", ("time_entry", "breaks", r#"[{"from_tomorrow":1}]"#)),
    ("timecard_id", ("timecard", "status", "from_tomorrow")),
    ("webhook_id", ("webhook", "kinds", r#"{"from_tomorrow":1}"#)),
];

/// Writes what is not known into a row, past the check of the column.
async fn write(store: &Store, (table, column, value): Unknown, id: Uuid) {
    let unchecked = match store.engine() {
        Engine::Sqlite => "PRAGMA ignore_check_constraints = ON".to_owned(),
        Engine::Postgres => {
            format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_{column}_check")
        }
    };
    let sql = format!("UPDATE {table} SET {column} = '{value}' WHERE id = $1");
    let written = store.write(async move |tx| {
        tx.execute_unprepared(&unchecked).await?;
        let backend = tx.get_database_backend();
        let update = Statement::from_sql_and_values(backend, &sql, [(id).into()]);
        Ok(tx.execute_raw(update).await?.rows_affected())
    });
    assert_eq!(written.await.expect("an update"), 1, "{table}.{column}");
}

/// How many rows there are of that id and version that say so: one or none.
async fn count(store: &Store, (table, column, value): Unknown, id: Uuid, version: i64) -> i64 {
    let sql = format!(
        "SELECT COUNT(*) FROM {table} WHERE id = $1 AND version = $2 AND {column} = '{value}'"
    );
    let backend = store.read().get_database_backend();
    let count = Statement::from_sql_and_values(backend, sql, [id.into(), version.into()]);
    let row = store.read().query_one_raw(count).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[each_database]
async fn a_row_that_says_what_is_not_known_is_neither_shown_nor_changed(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let routes = Route::of_organization();
    for (variable, unknown) in UNKNOWN.iter().copied() {
        let variable_part = format!("/{{{variable}}}");
        let row =
            |route: &&Route| route.method == Method::GET && route.path.ends_with(&variable_part);
        let row = routes.iter().find(row).unwrap_or_else(|| panic!("no GET of {variable}"));
        let collection = row.path.strip_suffix(&variable_part).unwrap();
        let version = sample.version(row).await;
        let mut requests = vec![(row, sample.request(row))];
        for route in &routes {
            if route.method == Method::GET && route.path == collection {
                requests.push((route, sample.request(route)));
            } else if route.is_versioned() && route.path.starts_with(&row.path) {
                requests.push((route, sample.valid(route).await));
            }
        }
        let id = sample.value(variable).parse().unwrap();
        write(&app.store, unknown, id).await;
        for (route, request) in requests {
            let answer = request.send_unchecked(&sample.owner).await;
            assert_eq!(answer.status, 500, "{}: {}", route.name(), answer.text);
            assert!(!answer.text.contains("tomorrow"), "{}: {}", route.name(), answer.text);
            answer.expect_problem(500, "internal");
        }
        assert_eq!(count(&app.store, unknown, id, version).await, 1, "{variable} has changed");
    }
    app.stop().await;
}
