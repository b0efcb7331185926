//! Who may do what: nobody without a token, and in an organization what the role allows.

use service::{
    role::{PERMISSIONS, Permission, Role},
    store::stored::StoredWord,
};
use tests::{Answer, App, Client, Database, Route, Sample, each_database, id, route::Request};

#[each_database]
async fn every_route_takes_a_token_unless_it_says_that_it_is_public(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let organization = sample.value("organization_id").replace('-', "");
    let key = format!("stw_k_{organization}_nonsense");
    let garbage = ["nonsense", "stw_s_nonsense", &key].map(|it| app.anonymous().with_token(it));
    for route in Route::all() {
        for client in [&app.anonymous()].into_iter().chain(&garbage) {
            let answer = sample.request(&route).send(client).await;
            // A login without a body is refused too, but not for want of a token.
            let refused = answer.json["code"] == "unauthenticated";
            assert_eq!(refused, !route.is_public(), "{}: {}", route.name(), answer.text);
            if refused {
                assert_eq!(answer.status, 401, "{}", route.name());
                assert_eq!(answer.headers["www-authenticate"], "Bearer", "{}", route.name());
            }
        }
    }
    app.stop().await;
}

/// Someone in the organization, as a user or by a key.
struct Caller {
    role: Role,
    name: String,
    client: Client,
    /// The sample, with the caller's own member: whom anybody may rename.
    sample: Sample,
}

/// A user and a key of every role.
async fn callers(sample: &Sample) -> Vec<Caller> {
    let mut callers = Vec::new();
    let ours = &sample.organization;
    for role in Role::ALL.iter().copied() {
        let user = sample.owner.invite(ours, role.as_str()).await;
        let key = sample.owner.with_key(ours, role.as_str()).await;
        // A key acts for the member who made it.
        for (kind, client, person) in [("user", &user, &user), ("key", &key, &sample.owner)] {
            let name = format!("the {kind} {role:?}");
            let own = sample.with("member_id", id(&person.member_in(ours).await));
            callers.push(Caller { role, name, client: client.clone(), sample: own });
        }
    }
    callers
}

fn permission(route: &Route) -> Permission {
    let name = route.permission().unwrap_or_else(|| panic!("{} has no x-permission", route.name()));
    let row = PERMISSIONS.iter().find(|(_, known, ..)| *known == name);
    row.unwrap_or_else(|| panic!("{}: no permission {name}", route.name())).0
}

#[each_database]
async fn every_route_of_an_organization_asks_for_the_role_that_it_names(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let callers = callers(&sample).await;
    // What takes no body would succeed: no import is called off that has ended, and nothing is sent to a
    // webhook that is disabled.
    app.run_until_idle().await;
    let webhook = format!("{}/webhooks/{}", sample.organization, sample.value("webhook_id"));
    let disable = serde_json::json!({ "version": 1, "enabled": false });
    sample.owner.patch(&webhook, disable).await.expect(200);
    let before = sample.state().await;
    for route in Route::of_organization() {
        for caller in &callers {
            let answer = harmless(&caller.sample, &route).send(&caller.client).await;
            let name = format!("{} as {}: {}", route.name(), caller.name, answer.text);
            let permission = permission(&route);
            match permission.hides() {
                Some(what) if !caller.role.may(permission) => {
                    assert_hidden(&sample, &route, what, answer).await;
                }
                _ => assert_eq!(allowed(&answer), caller.role.may(permission), "{name}"),
            }
        }
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}

/// A request of which nothing succeeds but reading: no version is named, and nobody knows what is in its body.
fn harmless<'a>(sample: &Sample, route: &'a Route) -> Request<'a> {
    let request = sample.request(route);
    match route.takes() {
        Some("application/json") => request.json(&serde_json::json!({ "nobody_knows": 1 })),
        // Nobody knows what is asked for.
        _ if route.method == reqwest::Method::DELETE && !route.is_versioned() => {
            request.query("nobody_knows=1")
        }
        _ => request,
    }
}

/// What a permission hides is to those without it as to the owner what is not there, whatever they ask.
async fn assert_hidden(sample: &Sample, route: &Route, what: &str, answer: Answer) {
    let detail = answer.clone().expect_problem(404, "not_found")["detail"].clone();
    assert_eq!(detail, format!("the {what} does not exist"), "{}", route.name());
    if route.has_row() {
        let variable = route.variables().pop().expect("the variable of the row");
        let known = sample.rows().into_iter().map(|(known, _)| known).find(|it| *it == variable);
        let nothing = sample.with(known.expect("a row"), uuid::Uuid::from_u128(7));
        let unknown = nothing.request(route).version(1).send(&sample.owner).await;
        assert_eq!(answer.without_occurrence(), unknown.without_occurrence(), "{}", route.name());
    }
}

/// Other refusals come after the role's: that an expense is somebody else's, say.
fn allowed(answer: &Answer) -> bool {
    let insufficient = answer.json["code"] == "role_insufficient";
    assert!(!insufficient || answer.status == 403, "{}", answer.text);
    assert!(answer.status != 401 && answer.status != 404, "{}", answer.text);
    !insufficient
}

#[each_database]
async fn what_is_a_persons_own_takes_a_session_and_no_key(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let program = sample.owner.with_key(&sample.organization, "owner").await;
    let own = |route: &Route| !route.is_public() && route.permission().is_none();
    for route in Route::all().into_iter().filter(own) {
        let answer = sample.request(&route).send(&program).await;
        answer.expect_problem(403, "session_required");
    }
    app.stop().await;
}

/// Whoever a key acts for: on its own member it does what somebody else of its role does, which is
/// nothing as long as that role manages no members, or is below the member's.
#[each_database]
async fn no_key_does_to_its_own_member_what_its_role_does_not(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let ours = &sample.organization;
    // So that nothing is refused for want of another owner.
    sample.owner.invite(ours, "owner").await;
    let admin = sample.owner.invite(ours, "admin").await;
    for (person, is) in [(&sample.owner, Role::Owner), (&admin, Role::Admin)] {
        let own = sample.with("member_id", id(&person.member_in(ours).await));
        let path = format!("{ours}/members/{}", own.value("member_id"));
        for role in Role::ALL.iter().copied() {
            if role >= is {
                continue;
            }
            let program = person.with_key(ours, role.as_str()).await;
            let before = (sample.owner.read(&path).await, sample.owner.read(ours).await);
            for route in Route::of_organization() {
                if route.method == reqwest::Method::GET || !route.variables().contains(&"member_id")
                {
                    continue;
                }
                let answer = own.valid(&route).await.send(&program).await;
                assert_eq!(answer.status, 403, "{} as {role:?}: {}", route.name(), answer.text);
            }
            let member = |op: &str, data: serde_json::Value| {
                serde_json::json!({ "entity": "member", "op": op, "id": own.value("member_id"),
                    "version": before.0["version"], "data": data })
            };
            let organization = serde_json::json!({ "entity": "organization", "op": "update",
                "id": own.value("organization_id"), "version": before.1["version"],
                "data": { "name": "Theirs" } });
            let mut edits = vec![
                member("update", serde_json::json!({ "name": "Nobody" })),
                member("update", serde_json::json!({ "active": false })),
                member("update", serde_json::json!({ "role": "viewer" })),
                member("delete", serde_json::Value::Null),
            ];
            if !role.may(Permission::ChangeOrganization) {
                edits.push(organization);
            }
            let edits = serde_json::json!({ "changes": edits });
            let report = program.post(&format!("{ours}/sync"), edits).await.expect(200);
            for result in report["results"].as_array().expect("results") {
                assert_eq!(result["status"], "forbidden", "as {role:?}: {result}");
            }
            let after = (sample.owner.read(&path).await, sample.owner.read(ours).await);
            assert_eq!(after, before, "as {role:?}");
        }
    }
    app.stop().await;
}
