//! The document and the server know the same routes, and what neither knows is a problem too.

use std::collections::BTreeSet;

use reqwest::Method;
use service::{catalogue::RESOURCES, event::Verb};
use tests::{App, Database, Route, Sample, each_database, route};

#[each_database]
async fn the_document_that_is_served_is_the_one_of_the_code(database: Database) {
    let app = App::start(&database).await;
    let served = app.anonymous().get("/openapi.json").await.expect(200);
    assert_eq!(&served, route::document());
    app.stop().await;
}

#[each_database]
async fn another_method_is_a_405_that_says_which_there_are(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    for route in Route::all() {
        let path = sample.path(&route);
        // Of a path that fits a variable, too, it is its own methods alone.
        let same = Route::all().into_iter().filter(|other| other.path == route.path);
        let mut known: BTreeSet<String> = same.map(|other| other.method.to_string()).collect();
        known.insert("OPTIONS".to_owned());
        if known.contains("GET") {
            known.insert("HEAD".to_owned());
        }
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "NONSENSE"];
        for method in methods.iter().filter(|method| !known.contains(**method)) {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = sample.owner.send(method, &path, None).await;
            let allow = answer.headers["allow"].to_str().unwrap().to_owned();
            // To a HEAD, there is no problem document.
            match answer.text.is_empty() {
                true => assert_eq!(answer.status, 405, "{path}"),
                false => drop(answer.expect_problem(405, "method_not_allowed")),
            }
            let allowed: Vec<String> = allow.split(", ").map(str::to_owned).collect();
            assert_eq!(allowed.len(), known.len(), "{path}: {allow}");
            assert_eq!(allowed.into_iter().collect::<BTreeSet<_>>(), known, "{path}");
        }
    }
    app.stop().await;
}

#[each_database]
async fn a_path_that_nobody_knows_is_a_404(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let ours = &sample.organization;
    let unknown = ["/nonsense", "/v1", "/v1/", "/v1/nonsense", "/v1/users/me/", "//v1/users/me"];
    let below = ["/nonsense", "/expenses/", "/expenses/a/b/c"].map(|it| format!("{ours}{it}"));
    for path in unknown.into_iter().chain(below.iter().map(String::as_str)) {
        for client in [&sample.owner, &app.anonymous()] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let answer = client.send(method, path, None).await;
                answer.expect_problem(404, "not_found");
            }
        }
    }
    app.stop().await;
}

/// The path of one of a resource.
fn row(entity: &str) -> String {
    if entity == "user" {
        return "/v1/users/me".to_owned();
    }
    let variable = format!("/{{{entity}_id}}");
    let mut paths = Route::all().into_iter().map(|route| route.path);
    paths
        .find(|path| path.ends_with(&variable))
        .unwrap_or_else(|| panic!("no path ends {variable}"))
}

#[test]
fn every_resource_has_the_routes_of_its_verbs_and_its_history() {
    let routes: BTreeSet<String> = Route::all().iter().map(Route::name).collect();
    for resource in RESOURCES {
        let row = row(resource.entity);
        for (verb, route) in [
            (Verb::Updated, format!("PATCH {row}")),
            (Verb::Reverted, format!("POST {row}/revert")),
            (Verb::Deleted, format!("DELETE {row}")),
        ] {
            let (can_happen, is_there) = (resource.verbs.contains(&verb), routes.contains(&route));
            assert_eq!(
                can_happen,
                is_there,
                "{route}: {} is in its verbs: {can_happen}",
                verb.as_str()
            );
        }
        assert!(
            routes.contains(&format!("GET {row}/history")),
            "{} has no history",
            resource.entity
        );
    }
}
