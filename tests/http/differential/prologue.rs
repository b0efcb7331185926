//! What comes before the script: each route of the document, called so that it succeeds. Chance alone
//! would seldom get to what takes a row in a certain state.

use std::collections::BTreeMap;

use reqwest::Method;
use tests::{Client, Route, Sample, route::ORGANIZATION};

use super::nodes::Nodes;

/// Calls each route. In one round there is at most one of each collection that changes something, so
/// that none finds a row otherwise than the sample has made it.
pub(super) async fn call_each_route(nodes: &Nodes, anonymous: &Client) {
    let mut routes = Route::all();
    routes.retain(|route| !route.is_public() || route.method == Method::POST);
    // It has no end, and what it goes on with reads the clock whenever it likes.
    routes.retain(|route| !route.streams());
    let (reads, mut changes): (Vec<_>, Vec<_>) =
        routes.into_iter().partition(|route| route.method == Method::GET);
    // What takes rows away that others need comes after these.
    changes.sort_by_key(|route| (route.method == Method::DELETE, route.path.clone()));
    for (number, round) in rounds(&changes).into_iter().enumerate() {
        let owner = anonymous.sign_up_as("Ada", &format!("ada{number}@example.org")).await;
        let sample = Sample::of(&owner).await;
        let (within, about): (Vec<_>, Vec<_>) =
            round.into_iter().partition(|route| collection(route).is_some());
        // What looks at the log, once all of this is in it.
        let (looks, within): (Vec<_>, Vec<_>) =
            within.into_iter().partition(|route| route.path.ends_with("/dry-run"));
        for route in within {
            change(&sample, &owner, route).await;
        }
        nodes.run_until_idle().await;
        for route in looks {
            change(&sample, &owner, route).await;
        }
        nodes.run_until_idle().await;
        read(&sample, &reads).await;
        // After these, the organization or the session may be gone.
        for route in about {
            let caller = match route.variables()[..] {
                // Nobody accepts an invitation into what they belong to.
                ["token"] => anonymous.sign_up_as("Linus", "linus@example.org").await,
                _ => owner.clone(),
            };
            change(&sample, &caller, route).await;
        }
    }
}

/// The collection within an organization that a route is about.
fn collection(route: &Route) -> Option<&str> {
    route.path.strip_prefix(ORGANIZATION)?.split('/').nth(1)
}

/// The first of each collection, the second of each, and so on.
fn rounds(routes: &[Route]) -> Vec<Vec<&Route>> {
    let mut rounds: Vec<Vec<&Route>> = Vec::new();
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for route in routes {
        let count = counts.entry(collection(route)).or_default();
        if rounds.len() == *count {
            rounds.push(Vec::new());
        }
        rounds[*count].push(route);
        *count += 1;
    }
    rounds
}

async fn change(sample: &Sample, caller: &Client, route: &Route) {
    sample.prepare(route).await;
    let answer = sample.valid(route).await.send(caller).await;
    assert!(answer.status.is_success(), "{}: {}", route.name(), answer.text);
}

/// Reads all, and what was where that can be asked. Some of it may be gone.
async fn read(sample: &Sample, routes: &[Route]) {
    for route in routes {
        let answer = sample.request(route).send(&sample.owner).await;
        let instant = answer.json["updated_at"].as_str().or(answer.json["created_at"].as_str());
        if let Some(instant) = instant.filter(|_| route.query().contains(&"as_of")) {
            let then = sample.request(route).query(&format!("as_of={instant}"));
            then.send(&sample.owner).await;
        }
    }
}
