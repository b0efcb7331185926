//! How many SQL statements each route takes, the same on both databases: a query in a loop, or a
//! round trip that nobody needs, shows here first.
//!
//! The caller and the organization are remembered from a request before; the row has what the
//! sample's has (an expense two lines), and the request succeeds.

use std::collections::BTreeMap;

use tests::{App, Client, Route, Sample, each_database};

const STATEMENTS: &[(&str, u64)] = &[];

#[tokio::test]
async fn each_route_takes_as_many_statements_as_this_table_says() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let mut counted = BTreeMap::new();
        let ada = app.anonymous().sign_up("Ada").await;
        for route in Route::all() {
            let owner = match route.permission() {
                Some(_) => ada.clone(),
                // What is a user's own takes a user of its own: a session ends, a list grows.
                None => app.anonymous().sign_up("Grace").await,
            };
            counted.insert(route.name(), count(&app, &owner, &route).await);
        }
        let table: BTreeMap<_, _> =
            STATEMENTS.iter().map(|(name, n)| ((*name).into(), *n)).collect();
        let lines: String =
            counted.iter().map(|(name, n)| format!("    ({name:?}, {n}),\n")).collect();
        assert_eq!(counted, table, "the whole table, as counted:\n{lines}");
        app.stop().await;
    })
    .await;
}

async fn count(app: &App, owner: &Client, route: &Route) -> u64 {
    let sample = Sample::of(owner).await;
    sample.prepare(route).await;
    let request = sample.valid(route).await;
    owner.get(&sample.organization).await.expect(200);
    let before = app.store.statements();
    let answer = request.send(owner).await;
    assert!(answer.status.is_success(), "{}: {}", route.name(), answer.text);
    app.store.statements() - before
}
