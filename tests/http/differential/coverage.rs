//! The scripts make rows of every collection and send every property: what they never sent would not be
//! compared.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use tests::{Route, route::ORGANIZATION};
use uuid::Uuid;

use super::{
    SEED, bodies,
    choice::Choice,
    described, documents, ledger,
    script::Organization,
    steps::{self, CHANGED},
    work,
};

/// How many bodies of each kind are looked at.
const BODIES: usize = 1000;
/// What the body of each request may have: [`bodies::create`] and [`steps::versioned`] add it.
const ADDED: [&str; 2] = ["/id", "/version"];

/// The routes that create a row or change one. A batch takes what its collection takes.
fn routes() -> Vec<Route> {
    let mut routes = Route::with_json();
    routes.retain(|route| match route.method {
        Method::PATCH => true,
        Method::POST => route.statuses().contains(&201) && !route.path.ends_with("/batch"),
        _ => false,
    });
    routes
}

/// Where the rows of a route are: `organizations`, `expenses`.
fn collection(route: &Route) -> &str {
    let path = route.path.strip_prefix(ORGANIZATION).or(route.path.strip_prefix("/v1"));
    let path = path.unwrap_or_default().trim_start_matches('/');
    if path.contains("/documents") {
        return "documents";
    }
    let path = path.split("/{").next().unwrap_or_default();
    if path.is_empty() { "organizations" } else { path }
}

/// A body that a script sends.
fn body(choice: &mut Choice, organization: &Organization, collection: &str) -> Value {
    let email = "ada@example.org";
    match collection {
        "users" => bodies::user(choice, email),
        "users/me" => bodies::profile(choice, email),
        "sessions" => bodies::session(choice, email),
        _ => bodies::new(choice, organization, collection),
    }
}

/// An organization with rows of everything that a body refers to.
fn organization() -> Organization {
    let mut organization = Organization::new("/v1/organizations/x".to_owned(), 0);
    let referred = ["members", "categories", "projects", "tasks", "accounts"];
    for collection in [&referred[..], &described::collections()].concat() {
        for number in 1..=8 {
            let id = Uuid::from_u128(number);
            organization.add(format!("/v1/organizations/x/{collection}/{id}"));
        }
    }
    organization
}

/// The properties of a body that have a value, and those in them.
fn properties(body: &Value, at: &str, found: &mut BTreeSet<String>) {
    for item in body.as_array().into_iter().flatten() {
        properties(item, at, found);
    }
    for (name, value) in body.as_object().into_iter().flatten().filter(|(_, it)| !it.is_null()) {
        let at = format!("{at}/{name}");
        properties(value, &at, found);
        found.insert(at);
    }
}

#[test]
fn the_scripts_make_and_change_rows_of_every_collection() {
    let besides = [&work::collections(), ledger::COLLECTIONS, documents::COLLECTIONS].concat();
    let made = [steps::COLLECTIONS, &besides].concat();
    let changed = [CHANGED, &besides].concat();
    for route in routes().iter().filter(|route| route.path.starts_with(ORGANIZATION)) {
        let known = if route.method == Method::PATCH { &changed } else { &made };
        let collection = collection(route);
        let is_timer = collection == work::TIMERS;
        assert!(is_timer || known.contains(&collection), "no script calls {}", route.name());
    }
}

#[test]
fn the_scripts_send_every_property() {
    let organization = organization();
    for route in routes() {
        let mut choice = Choice::seeded(SEED);
        let mut sent = BTreeSet::from(ADDED.map(str::to_owned));
        for _ in 0..BODIES {
            let body = body(&mut choice, &organization, collection(&route));
            properties(&body, "", &mut sent);
        }
        let known = route.properties();
        assert!(!known.is_empty(), "{} takes nothing", route.name());
        let missed: Vec<_> = known.difference(&sent).collect();
        assert!(missed.is_empty(), "no script sends {missed:?} to {}", route.name());
    }
}
