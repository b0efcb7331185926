//! What clients change, they can change offline.

use std::collections::BTreeSet;

use reqwest::Method;
use tests::{Route, route};

/// Resources that are changed online alone, and why.
const ONLINE: &[(&str, &str)] =
    &[("webhook", "whoever makes one must be shown its secret, and a queue cannot be")];

#[test]
fn every_resource_that_clients_change_can_be_synced() {
    let known =
        &route::document()["components"]["schemas"]["SyncChange"]["properties"]["entity"]["enum"];
    let known = known.as_array().expect("the kinds that a sync takes").iter();
    let known: BTreeSet<String> =
        known.map(|name| name.as_str().expect("a name").to_owned()).collect();
    let changed = Route::of_organization().into_iter().filter(|it| it.method == Method::PATCH);
    let changed = changed.filter_map(|route| route.resource().map(super::versions::table));
    let online: BTreeSet<_> = ONLINE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let offline: BTreeSet<_> = changed.filter(|name| !online.contains(name)).collect();
    assert_eq!(offline, known, "say so in service/src/catalogue.rs, or in ONLINE above");
}
