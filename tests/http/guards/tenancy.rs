//! Organizations do not see each other: what belongs to another is answered like what is not there.

use reqwest::Method;
use serde_json::json;
use tests::{App, Database, Route, Sample, each_database};

const NOBODY: &str = "01900000-0000-7000-8000-000000000000";

#[each_database]
async fn to_a_stranger_an_organization_is_like_one_that_does_not_exist(database: Database) {
    let app = App::start(&database).await;
    let ours = Sample::make(&app.anonymous()).await;
    let stranger = Sample::make(&app.anonymous()).await;
    let nowhere = ours.with("organization_id", NOBODY);
    let before = ours.state().await;
    for route in Route::of_organization() {
        // Of the owner, these requests would be taken.
        let refused = ours.valid(&route).await.send(&stranger.owner).await;
        let unknown = nowhere.request(&route).version(1).send(&stranger.owner).await;
        assert_eq!(refused.status, 404, "{}: {}", route.name(), refused.text);
        assert_eq!(refused.without_occurrence(), unknown.without_occurrence());
    }
    ours.assert_unchanged(&before).await;
    app.stop().await;
}

#[each_database]
async fn a_row_of_another_organization_is_like_one_that_does_not_exist(database: Database) {
    let app = App::start(&database).await;
    let theirs = Sample::make(&app.anonymous()).await;
    let ours = Sample::make(&app.anonymous()).await;
    let before = theirs.state().await;
    for route in Route::of_organization().iter().filter(|route| route.has_row()) {
        // What comes after the last row of a path is within it, as an instant.
        let row = |variable: &&str| ours.rows().into_iter().find(|(known, _)| known == variable);
        let (known, _) = route.variables().iter().rev().find_map(row).unwrap();
        let request = |id: &str| {
            let request = ours.with(known, id).request(route);
            let is_unversioned = route.method == Method::DELETE && !route.is_versioned();
            if is_unversioned { request } else { request.version(1) }
        };
        let refused = request(theirs.value(known)).send(&ours.owner).await;
        let unknown = request(NOBODY).send(&ours.owner).await;
        assert_eq!(refused.status, 404, "{}: {}", route.name(), refused.text);
        let malformed = request("nonsense").send(&ours.owner).await;
        assert_eq!(malformed.status, 404, "{}: {}", route.name(), malformed.text);
        assert_eq!(refused.without_occurrence(), unknown.without_occurrence());
    }
    theirs.assert_unchanged(&before).await;
    app.stop().await;
}

/// The variable whose rows a field of a body refers to.
fn referred(field: &str) -> &str {
    if field == "parent_id" { "category_id" } else { field }
}

#[each_database]
async fn a_reference_to_another_organizations_row_is_like_one_to_nothing(database: Database) {
    let app = App::start(&database).await;
    let theirs = Sample::make(&app.anonymous()).await;
    let ours = Sample::make(&app.anonymous()).await;
    let mut references = 0;
    for route in Route::with_json().iter().filter(|route| route.permission().is_some()) {
        for field in route.fields() {
            let foreign = theirs.rows().into_iter().find(|(name, _)| *name == referred(field));
            let Some((_, foreign)) = foreign else { continue };
            let mut body = ours.body(route).await;
            body[field] = json!(foreign);
            let refused = ours.request(route).json(&body).send(&ours.owner).await;
            body[field] = json!(NOBODY);
            let unknown = ours.request(route).json(&body).send(&ours.owner).await;
            assert_eq!(refused.status, 422, "{} {field}: {}", route.name(), refused.text);
            assert_eq!(refused.without_occurrence(), unknown.without_occurrence());
            references += 1;
        }
    }
    assert!(references >= 9, "expenses, budgets, categories and invitations refer to others");
    app.stop().await;
}
