//! The schema can be sharded by organization, and `steward distribute` does it: in the rules of Citus, which the
//! functions of `tests::citus` keep as well.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use service::{
    Store,
    distribution::{Action, DistributionError, Placement, Step, plan, run, tables},
    store::Options,
};
use tests::{
    App, Client, Database, citus, database::execute, each_database, on_postgresql, schema,
};

/// Where each table is, and when its turn is.
fn places() -> BTreeMap<&'static str, (usize, Placement)> {
    let tables = tables().into_iter().enumerate();
    tables.map(|(turn, table)| (table.name, (turn, table.placement))).collect()
}

#[each_database]
async fn every_table_of_the_schema_has_one_place(database: Database) {
    let store = database.store(Options::default()).await;
    let mut placed: Vec<_> = tables().iter().map(|table| table.name.to_owned()).collect();
    placed.sort();
    let of_schema: Vec<_> = schema::columns(&store).await.into_keys().collect();
    assert_eq!(placed, of_schema);
    store.close().await.unwrap();
}

#[each_database]
async fn a_table_refers_to_those_on_its_node_and_after_their_turn(database: Database) {
    let store = database.store(Options::default()).await;
    let places = places();
    for (from, to) in schema::references(&store).await {
        let ((from_turn, from_place), (to_turn, to_place)) = (places[&*from], places[&*to]);
        assert!(to_turn < from_turn || from == to, "{from} has its turn before {to}");
        let is_reachable = match from_place {
            Placement::Sharded { .. } => to_place != Placement::Local,
            Placement::Reference => to_place == Placement::Reference,
            Placement::Local => to_place == Placement::Local,
        };
        assert!(is_reachable, "{from} refers to {to}: {from_place:?}, {to_place:?}");
    }
    store.close().await.unwrap();
}

/// What the catalogue says of something, by the table.
async fn catalogue<const N: usize>(store: &Store, sql: &str) -> Vec<[String; N]> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = store.read().query_all_raw(statement).await.unwrap();
    let cells = |row: &sea_orm::QueryResult| {
        std::array::from_fn(|number| row.try_get_by_index(number).unwrap())
    };
    rows.iter().map(cells).collect()
}

/// A shard knows of no other, so it can keep only that unique in which the organization is.
#[on_postgresql]
async fn what_is_unique_is_so_within_an_organization(database: Database) {
    let store = database.store(Options::default()).await;
    let unique = catalogue(
        &store,
        "SELECT CAST(c.relname AS text), CAST(x.relname AS text), string_agg(a.attname, ',' ORDER BY k.place)
           FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
          CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(number, place)
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
          WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
          GROUP BY c.relname, x.relname",
    );
    let (places, mut seen) = (places(), BTreeSet::new());
    for [table, index, columns] in unique.await {
        let Some((_, Placement::Sharded { column })) = places.get(&*table) else { continue };
        assert!(columns.split(',').any(|it| it == *column), "{index} of {table} has {columns}");
        seen.insert(table);
    }
    let sharded = places.values().filter(|(_, it)| matches!(it, Placement::Sharded { .. }));
    assert_eq!(seen.len(), sharded.count(), "each has a primary key");
    store.close().await.unwrap();
}

/// The organization stands at the same place on both sides, and nothing changes or empties it.
#[on_postgresql]
async fn a_foreign_key_stays_within_an_organization(database: Database) {
    let store = database.store(Options::default()).await;
    let keys = catalogue(
        &store,
        "SELECT CAST(f.relname AS text), CAST(t.relname AS text), CAST(k.conname AS text),
                string_agg(a.attname || '=' || b.attname, ',' ORDER BY p.place),
                CAST(k.confdeltype AS text) || CAST(k.confupdtype AS text)
           FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
          CROSS JOIN unnest(k.conkey, k.confkey) WITH ORDINALITY AS p(here, there, place)
           JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = p.here
           JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = p.there
          WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
          GROUP BY f.relname, t.relname, k.conname, k.confdeltype, k.confupdtype",
    );
    let (places, mut count) = (places(), 0);
    for [from, to, name, columns, actions] in keys.await {
        let (_, Placement::Sharded { column: here }) = places[&*from] else { continue };
        let (_, Placement::Sharded { column: there }) = places[&*to] else { continue };
        let pair = format!("{here}={there}");
        assert!(columns.split(',').any(|it| it == pair), "{name} of {from} has {columns}");
        assert!(["aa", "ra", "ca"].contains(&&*actions), "{name} of {from} does {actions}");
        count += 1;
    }
    assert!(count > 40, "{count} foreign keys were seen");
    store.close().await.unwrap();
}

#[each_database]
async fn a_database_without_citus_is_refused(database: Database) {
    let store = database.store(Options::default()).await;
    let refused = plan(&store).await.expect_err("no Citus");
    let expected = match database.engine {
        service::store::Engine::Sqlite => "SQLite",
        service::store::Engine::Postgres => "CREATE EXTENSION citus",
    };
    assert!(refused.to_string().contains(expected), "{refused}");
    store.close().await.unwrap();
}

/// The call that a step makes of the function that stands for that of Citus.
fn call(step: &Step) -> String {
    let table = if step.table == "user" { "\"user\"" } else { step.table };
    match step.action {
        Action::Replicate => format!("reference {table}"),
        Action::Shard if table == "organization" => format!("distributed {table} by id with none"),
        Action::Shard => {
            format!("distributed {table} by organization_id with \"organization\"")
        }
        Action::RemoveCopies => format!("truncated {table}"),
    }
}

#[on_postgresql]
async fn a_distribution_that_is_interrupted_goes_on(database: Database) {
    let app = App::start(&database).await;
    Client::new(&app.base).sign_up("Ada").await.found("household").await;
    app.stop().await;
    citus::install(&database).await;
    let store = database.store(Options::default()).await;
    let all = plan(&store).await.unwrap();
    let copied: Vec<_> = all.iter().filter(|it| it.action == Action::RemoveCopies).collect();
    for table in ["user", "organization", "member", "event"] {
        assert!(copied.iter().any(|step| step.table == table), "{table} has rows: {copied:?}");
    }
    let (first, told) = (&all[..all.len() / 3], RefCell::new(Vec::new()));
    let tell = |step: &Step| told.borrow_mut().push(step.clone());
    run(&store, first, tell).await.unwrap();
    let rest = plan(&store).await.unwrap();
    assert_eq!(rest, all[first.len()..]);
    run(&store, &rest, tell).await.unwrap();
    assert_eq!(*told.borrow(), all, "each step is told once it is done");
    assert_eq!(citus::calls(&store).await, all.iter().map(call).collect::<Vec<_>>());
    assert_eq!(plan(&store).await.unwrap(), [], "nothing is left");
    store.close().await.unwrap();
}

/// Out of its turn a table is refused, as Citus does, and what was done before stays.
#[on_postgresql]
async fn a_step_that_fails_names_its_table_and_ends_there(database: Database) {
    citus::install(&database).await;
    let store = database.store(Options::default()).await;
    let mut steps = plan(&store).await.unwrap();
    let expense = steps.iter().position(|step| step.table == "expense").unwrap();
    steps.swap(1, expense);
    let refused = run(&store, &steps, |_| {}).await.expect_err("out of turn");
    assert!(
        matches!(&refused, DistributionError::Table { table: "expense", cause }
            if cause.to_string().contains("must be a distributed table")),
        "{refused}"
    );
    assert_eq!(citus::calls(&store).await, ["reference \"user\""]);
    execute(&database.url, "UPDATE citus_table SET citus_table_type = 'distributed'").await;
    let refused = plan(&store).await.expect_err("another way");
    assert!(matches!(refused, DistributionError::Otherwise { table: "user" }), "{refused}");
    store.close().await.unwrap();
}
