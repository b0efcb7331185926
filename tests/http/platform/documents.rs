//! The documents in the repository that are made from the code, or tell of it.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use api::prometheus::METRICS;
use serde_json::{Value, json};
use service::{
    catalogue::{CONSUMERS, RESOURCES},
    role::{HIDDEN, PERMISSIONS, Permission, Role},
    store::{Engine, stored::StoredWord},
};
use tests::{App, Client, Database, Route, Sample, at, each_database, id, route};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

fn read(name: &str) -> String {
    let path = path(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_committed_openapi_document_is_the_one_of_the_code() {
    let document = api::openapi::document().to_pretty_json().unwrap() + "\n";
    assert!(read("openapi.json") == document, "`just openapi` writes docs/openapi.json");
}

#[each_database]
async fn the_openapi_document_is_shown(database: Database) {
    let app = App::start(&database).await;
    let stranger = app.anonymous();
    let page = stranger.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    let script = stranger.get("/docs/swagger-initializer.js").await;
    assert!(script.text.contains(r#""url": "/openapi.json""#), "{}", script.text);
    app.stop().await;
}

/// The verbs with which summaries begin.
const VERBS: &[&str] = &[
    "Accept",
    "Add",
    "Aggregate",
    "Amend",
    "Apply",
    "Approve",
    "Cancel",
    "Change",
    "Check",
    "Compare",
    "Compensate",
    "Create",
    "Decide",
    "Delete",
    "Dry-run",
    "End",
    "Explain",
    "Export",
    "Get",
    "Import",
    "List",
    "Log",
    "Mark",
    "Offboard",
    "Pay",
    "Post",
    "Preview",
    "Query",
    "Register",
    "Reimburse",
    "Reject",
    "Reopen",
    "Report",
    "Resend",
    "Retry",
    "Reverse",
    "Revert",
    "Rotate",
    "Send",
    "Start",
    "Stop",
    "Stream",
    "Submit",
    "Take",
    "Undo",
    "Update",
    "Write",
];

#[test]
fn every_operation_has_a_summary_that_begins_with_a_verb() {
    for route in Route::all() {
        let summary = route.operation()["summary"].as_str().unwrap_or_default();
        let verb = summary.split(' ').next().unwrap_or_default();
        assert!(VERBS.contains(&verb), "{}: {summary:?}", route.name());
    }
}

#[test]
fn every_operation_has_an_id_of_its_own_a_verb_and_a_resource() {
    let mut ids = BTreeSet::new();
    for route in Route::all() {
        let id = route.operation()["operationId"].as_str().unwrap_or_default().to_owned();
        let is_letter = |letter: char| letter.is_ascii_lowercase();
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|it| is_letter(it) || it.is_ascii_digit())
        };
        let (verb, resource) = id.split_once('_').unwrap_or_default();
        assert!(!verb.is_empty() && verb.chars().all(is_letter), "{}: {id:?}", route.name());
        assert!(resource.split('_').all(is_word), "{}: {id:?}", route.name());
        assert!(ids.insert(id), "{} has the id of another", route.name());
    }
}

fn is_described(value: &Value) -> bool {
    value["description"].as_str().is_some_and(|text| !text.is_empty())
}

#[test]
fn every_parameter_and_every_response_has_a_description() {
    for route in Route::all() {
        for parameter in route.operation()["parameters"].as_array().into_iter().flatten() {
            assert!(is_described(parameter), "{}: {}", route.name(), parameter["name"]);
        }
        for (status, response) in route.operation()["responses"].as_object().into_iter().flatten() {
            assert!(is_described(response), "{}: {status}", route.name());
            for (name, header) in response["headers"].as_object().into_iter().flatten() {
                assert!(is_described(header), "{}: {status}: {name}", route.name());
            }
        }
    }
}

/// What is for the machines of operators is not limited.
#[test]
fn every_operation_of_the_api_says_that_it_is_limited() {
    for route in Route::all() {
        let is_limited = route.operation()["tags"] != json!(["operations"]);
        let responses = &route.operation()["responses"];
        assert_eq!(responses["429"].is_object(), is_limited, "{}", route.name());
        for (status, response) in responses.as_object().into_iter().flatten() {
            for name in ["RateLimit", "RateLimit-Policy"] {
                let says = response["headers"][name].is_object();
                let expected = is_limited && !status.starts_with('5');
                assert_eq!(says, expected, "{}: {status}: {name}", route.name());
            }
        }
    }
}

/// Shows a part of the document and all that is below it, except for examples.
fn visit(at: &str, value: &Value, see: &mut impl FnMut(&str, &Value)) {
    see(at, value);
    let fields = value.as_object().into_iter().flatten();
    for (name, field) in fields.filter(|(name, _)| *name != "examples") {
        visit(&format!("{at}/{name}"), field, see);
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        visit(&format!("{at}/{index}"), item, see);
    }
}

fn schemas() -> &'static Value {
    &route::document()["components"]["schemas"]
}

#[test]
fn every_schema_and_every_property_has_a_description() {
    for (name, schema) in schemas().as_object().into_iter().flatten() {
        assert!(is_described(schema), "{name}");
    }
    // One of several forms of a value is told by the value of a property, which says it all.
    let is_tag = |property: &Value| property["enum"].as_array().is_some_and(|it| it.len() == 1);
    visit("", schemas(), &mut |at: &str, schema: &Value| {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(is_described(property) || is_tag(property), "{at}: {name}");
        }
    });
}

#[test]
fn every_tag_is_described_and_used() {
    let used = Route::all();
    let used: BTreeSet<&str> = used
        .iter()
        .flat_map(|route| route.operation()["tags"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let tags = route::document()["tags"].as_array().expect("tags");
    assert!(tags.iter().all(is_described), "{tags:?}");
    let described: BTreeSet<&str> = tags.iter().filter_map(|tag| tag["name"].as_str()).collect();
    assert_eq!(used, described);
}

#[test]
fn where_one_value_of_an_enum_is_described_all_are() {
    for (name, schema) in schemas().as_object().into_iter().flatten() {
        let Some(values) = schema["enum"].as_array() else { continue };
        let lines = schema["description"].as_str().unwrap_or_default().lines();
        let item = |line: &'static str| line.strip_prefix("- `")?.split_once("`: ");
        let described: Vec<&str> = lines.filter_map(item).map(|(value, _)| value).collect();
        assert!(described.is_empty() || values == &described, "{name}: {described:?}");
    }
}

#[test]
fn every_reference_is_to_what_is_there() {
    visit("", route::document(), &mut |at: &str, value: &Value| {
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap_or_default();
            assert!(route::document().pointer(pointer).is_some(), "{at}: {reference}");
        }
    });
}

#[test]
fn what_is_shared_is_referred_to() {
    let mut met = BTreeSet::new();
    visit("", route::document(), &mut |_: &str, value: &Value| {
        met.extend(value["$ref"].as_str().map(str::to_owned));
    });
    for kind in ["responses", "parameters", "headers", "schemas"] {
        for (name, _) in route::document()["components"][kind].as_object().into_iter().flatten() {
            assert!(met.contains(&format!("#/components/{kind}/{name}")), "{kind}: {name}");
        }
    }
}

#[test]
fn every_problem_is_shared() {
    let mut own = Vec::new();
    visit("", &route::document()["paths"], &mut |at: &str, value: &Value| {
        if at.contains("/responses/") && value["content"].get("application/problem+json").is_some()
        {
            own.push(at.to_owned());
        }
    });
    assert_eq!(own, [""; 0]);
}

#[test]
fn every_operation_has_a_description() {
    for route in Route::all() {
        assert!(is_described(route.operation()), "{}: say more with `detail`", route.name());
    }
}

#[test]
fn every_object_has_an_example() {
    for (name, schema) in schemas().as_object().into_iter().flatten() {
        let is_object = schema["type"] == "object" || schema.get("allOf").is_some();
        let example = &schema["examples"][0];
        assert!(!is_object || example.is_object(), "{name}");
        // A part that is in another schema's example may leave out what the whole does not need.
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(example.get(required.as_str().unwrap()).is_some(), "{name}: {required}");
        }
    }
}

fn is_of(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"].as_array().is_some_and(|it| it.contains(&kind.into()))
}

/// Shows each schema of what a route is sent, with those that it refers to, and where it is.
fn visit_sent(route: &Route, see: &mut impl FnMut(&str, &Value)) {
    let operation = route.operation();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        visit_schema(name, &parameter["schema"], &mut BTreeSet::new(), see);
    }
    for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        visit_schema("", &content["schema"], &mut BTreeSet::new(), see);
    }
}

fn visit_schema(
    at: &str,
    schema: &Value,
    met: &mut BTreeSet<String>,
    see: &mut impl FnMut(&str, &Value),
) {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        if met.insert(name.to_owned()) {
            visit_schema(&format!("{at}({name})"), &schemas()[name], met, see);
        }
        return;
    }
    see(at, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        visit_schema(&format!("{at}/{name}"), property, met, see);
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        for schema in schema[part].as_array().into_iter().flatten() {
            visit_schema(at, schema, met, see);
        }
    }
    for part in ["items", "propertyNames"] {
        if let Some(schema) = schema.get(part) {
            visit_schema(&format!("{at}/{part}"), schema, met, see);
        }
    }
}

#[test]
fn what_is_sent_has_limits() {
    let mut open = BTreeSet::new();
    for route in Route::all() {
        visit_sent(&route, &mut |at: &str, schema: &Value| {
            let has = |name: &str| schema.get(name).is_some();
            let text = ["maxLength", "enum", "const", "format"].into_iter().any(has);
            let integer = has("minimum") && has("maximum");
            let bounded = [("string", text), ("integer", integer), ("array", has("maxItems"))];
            for (kind, is_bounded) in bounded {
                if is_of(schema, kind) && !is_bounded {
                    open.insert(format!("{kind} {at} of {}", route.name()));
                }
            }
        });
    }
    let how =
        "`#[validate(length(…))]` or `range(…)` and `#[bounded]`, or api/src/openapi/limits.rs";
    assert!(open.is_empty(), "{how}: {open:#?}");
}

/// The text that a limit of a schema is made of is what the server refuses.
#[each_database]
async fn the_limits_of_the_document_are_those_of_the_server(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    for route in Route::with_json().iter().filter(|it| it.method == "POST" && !it.has_row()) {
        let body = &route.operation()["requestBody"]["content"]["application/json"]["schema"];
        let Some(name) = body["$ref"].as_str().and_then(|it| it.rsplit('/').next()) else {
            continue;
        };
        if !name.starts_with("New") || schemas()[name]["examples"][0].is_null() {
            continue;
        }
        for (property, schema) in schemas()[name]["properties"].as_object().into_iter().flatten() {
            let Some(most) = schema["maxLength"].as_u64() else { continue };
            let mut body = example(name);
            body[property] = "x".repeat(usize::try_from(most).unwrap() + 1).into();
            let path = sample.request(route).path().to_owned();
            let answer = route.request(path).json(&body).send_unchecked(&sample.owner).await;
            assert_eq!(answer.status, 422, "{name}: {property}: {}", answer.text);
            let told = answer.text.contains(&format!("\"/{property}\""));
            assert!(told, "{name}: {property}: {}", answer.text);
        }
    }
    app.stop().await;
}

#[test]
fn a_page_refers_to_the_schema_of_its_items() {
    let pages = Route::all().into_iter().filter(|route| route.query().contains(&"cursor"));
    for route in pages {
        let content = &route.operation()["responses"]["200"]["content"]["application/json"];
        let page = content["schema"]["$ref"].as_str().and_then(|it| it.rsplit('/').next());
        let page = page.unwrap_or_else(|| panic!("{} has a page", route.name()));
        let item = page.strip_suffix("Page").unwrap_or_else(|| panic!("{page} is a page"));
        let items = &schemas()[page]["properties"]["items"]["items"]["$ref"];
        assert_eq!(items, &format!("#/components/schemas/{item}"), "{}", route.name());
    }
}

/// What is created where with the example of its schema, in an order in which each is there before
/// another refers to it. What is not listed comes after, in the order of paths.
const CREATED: &[(&str, &str)] = &[
    ("members", "Member"),
    ("categories", "Category"),
    ("projects", "Project"),
    ("tasks", "Task"),
    // The first time of a week makes its timecard.
    ("timecards", "Timecard"),
    ("time-entries", "TimeEntry"),
    ("daily-reports", "DailyReport"),
    ("incidents", "Incident"),
    ("expenses", "Expense"),
];
/// What is created by other means.
const NOT_CREATED: &[&str] = &["invitations", "journal-entries"];
/// What is then done to it, with the example of which schema.
const DONE: &[(&str, &str, &str)] = &[
    ("categories", "revert", "Revert"),
    ("expenses", "submit", "ExpenseTransition"),
    ("timecards", "submit", "TimecardTransition"),
    ("timecards", "reopen", "TimecardReopening"),
    ("daily-reports", "submit", "DailyReportTransition"),
    ("daily-reports", "amend", "NewDailyReportAmendment"),
    ("journal-entries", "reverse", "JournalEntryReversal"),
    ("webhooks", "rotate-secret", "WebhookSecretRotation"),
];

#[test]
fn what_a_client_creates_has_an_example() {
    for (name, schema) in schemas().as_object().into_iter().flatten() {
        assert!(!name.starts_with("New") || schema["examples"].is_array(), "{name} has an example");
    }
}

/// The example of a schema.
fn example(schema: &str) -> Value {
    let example = schemas()[schema]["examples"].get(0);
    example.unwrap_or_else(|| panic!("{schema} has an example")).clone()
}

/// The collections that [`CREATED`] does not list, each with the name of its resource.
fn others() -> Vec<(String, String)> {
    let other = |route: Route| {
        let collection = route.path.strip_prefix(route::ORGANIZATION)?.strip_prefix('/')?;
        let body = &route.operation()["requestBody"]["content"]["application/json"]["schema"];
        let name = body["$ref"].as_str()?.rsplit('/').next()?.strip_prefix("New")?;
        let is_listed = CREATED.iter().any(|(listed, _)| *listed == collection);
        let is_other =
            !collection.contains('/') && !is_listed && !NOT_CREATED.contains(&collection);
        is_other.then(|| (collection.to_owned(), name.to_owned()))
    };
    Route::with_json().into_iter().filter_map(other).collect()
}

/// The example of a body, made against the version of a resource.
fn against(resource: &Value, schema: &str) -> Value {
    let mut body = example(schema);
    body["version"] = resource["version"].clone();
    body
}

/// Creates what the example of a new resource says, with the id of the example of the resource.
async fn create(client: &Client, collection: &str, name: &str) -> Value {
    let (mut new, shown) = (example(&format!("New{name}")), example(name));
    new["id"] = shown["id"].clone();
    let made = client.post(collection, new.clone()).await.expect(201);
    for (property, value) in new.as_object().into_iter().flatten() {
        assert_eq!((&made[property], &shown[property]), (value, value), "{name}: {property}");
    }
    made
}

#[each_database]
async fn the_api_accepts_the_examples_of_the_openapi_document(database: Database) {
    let app = App::start(&database).await;
    let stranger = app.anonymous();
    let user = stranger.post("/v1/users", example("NewUser")).await.expect(201);
    let session = stranger.post("/v1/sessions", example("NewSession")).await.expect(201);
    let owner = stranger.with_token(session["token"].as_str().unwrap());
    owner.patch("/v1/users/me", against(&user, "UserUpdate")).await.expect(200);
    let made = create(&owner, "/v1/organizations", "Organization").await;
    let organization = at("/v1/organizations", &made);
    owner.patch(&organization, against(&made, "OrganizationUpdate")).await.expect(200);
    let invitations = format!("{organization}/invitations");
    owner.post(&invitations, example("NewInvitation")).await.expect(201);
    let listed = CREATED.iter().map(|(path, name)| ((*path).to_owned(), (*name).to_owned()));
    for (collection, name) in listed.chain(others()) {
        let path = format!("{organization}/{collection}");
        let made = create(&owner, &path, &name).await;
        let update = format!("{name}Update");
        if schemas().get(&update).is_some() {
            owner.patch(&at(&path, &made), against(&made, &update)).await.expect(200);
        }
    }
    let synced = owner.post(&format!("{organization}/sync"), example("SyncRequest")).await;
    for result in synced.expect(200)["results"].as_array().expect("results") {
        assert_eq!(result["status"], "applied", "{result}");
    }
    let debited = example("JournalEntry")["transfers"][0]["debit_account_id"].clone();
    let account = json!({ "id": debited, "name": "Materials", "kind": "expense" });
    owner.post(&format!("{organization}/accounts"), account).await.expect(201);
    create(&owner, &format!("{organization}/journal-entries"), "JournalEntry").await;
    for (collection, verb, schema) in DONE {
        let path = format!("{organization}/{collection}");
        let listed = owner.read(&path).await["items"][0].clone();
        let body = against(&listed, schema);
        owner.post(&format!("{path}/{}/{verb}", id(&listed)), body).await.expect(200);
    }
    let timers = format!("{organization}/time-entries/start");
    owner.post(&timers, example("NewTimer")).await.expect(201);
    app.stop().await;
}

/// A table or a list of a document that the code determines: `just docs` (`UPDATE_DOCS=1`) writes it.
struct Table {
    document: &'static str,
    heading: &'static str,
    is_row: fn(&str) -> bool,
}

impl Table {
    /// Its rows as they stand in the document, and the line of the first.
    fn written(&self) -> (usize, Vec<String>) {
        let page = read(self.document);
        let section = page.lines().enumerate().skip_while(|(_, line)| *line != self.heading);
        let section = section.skip(1).take_while(|(_, line)| !line.starts_with('#'));
        let rows: Vec<_> = section.filter(|(_, line)| (self.is_row)(line)).collect();
        let first = rows.first().unwrap_or_else(|| panic!("no rows: {}", self.heading)).0;
        (first, rows.into_iter().map(|(_, line)| line.to_owned()).collect())
    }

    /// Compares the rows with those of the code, or writes these.
    fn check(&self, rows: &[String]) {
        let (first, written) = self.written();
        if env::var_os("UPDATE_DOCS").is_none() {
            assert_eq!(written, rows, "`just docs` writes docs/{}", self.document);
            return;
        }
        let mut lines: Vec<String> = read(self.document).lines().map(str::to_owned).collect();
        lines.splice(first..first + written.len(), rows.iter().cloned());
        fs::write(path(self.document), lines.join("\n") + "\n").unwrap();
    }
}

fn begins_with_code(line: &str) -> bool {
    line.starts_with("| `")
}

#[test]
fn the_tables_of_roles_are_those_of_the_code() {
    let document = "roles.md";
    let rows: Vec<String> = PERMISSIONS
        .iter()
        .map(|(_, name, role, what)| format!("| `{name}` | `{}` | {what} |", role.as_str()))
        .collect();
    Table { document, heading: "## Roles and permissions", is_row: begins_with_code }.check(&rows);
    let hides = |(permission, what): &(Permission, &str)| {
        format!("- `{}` hides each {what}", permission.name())
    };
    let hidden: Vec<String> = HIDDEN.iter().map(hides).collect();
    let is_row = |line: &str| line.contains("` hides each ");
    Table { document, heading: "### Hidden resources", is_row }.check(&hidden);
    let page = read(document);
    for role in Role::ALL.iter().copied() {
        assert!(page.contains(&format!("`{}`", role.as_str())), "{role:?}");
    }
}

/// The rows of the built-in consumers. What a consumer does is written by hand and kept.
fn consumer_rows(written: &[String]) -> Vec<String> {
    CONSUMERS
        .iter()
        .map(|consumer| {
            let name = format!("| `{}` |", consumer.name);
            let row = written.iter().find(|row| row.starts_with(&name));
            let effect = row.and_then(|row| row.split('|').nth(3)).unwrap_or_default().trim();
            let kinds: Vec<String> =
                consumer.kinds.iter().map(|kind| format!("`{kind}`")).collect();
            format!("{name} {} | {effect} |", kinds.join(", "))
        })
        .collect()
}

#[test]
fn the_tables_of_operations_are_those_of_the_code() {
    let rows: Vec<String> = METRICS
        .iter()
        .map(|metric| {
            let on = match metric.engine {
                None => "",
                Some(Engine::Sqlite) => "SQLite",
                Some(Engine::Postgres) => "PostgreSQL",
            };
            let (name, kind, labels) =
                (metric.name, metric.kind.as_str(), metric.labels.join(", "));
            format!("| `{name}` | {kind} | {labels} | {on} | {} |", metric.help)
        })
        .collect();
    Table { document: "operations.md", heading: "## Metrics", is_row: begins_with_code }
        .check(&rows);
}

#[test]
fn the_tables_of_events_are_those_of_the_code() {
    let document = "events.md";
    let consumers = Table { document, heading: "### Built-in consumers", is_row: begins_with_code };
    consumers.check(&consumer_rows(&consumers.written().1));
    let undescribed = |row: &String| row.ends_with("|  |");
    assert!(!consumers.written().1.iter().any(undescribed), "say what the consumer does");
    let kinds: Vec<String> = RESOURCES
        .iter()
        .flat_map(|entity| entity.verbs.iter().map(move |verb| (entity, verb)))
        .map(|(entity, verb)| {
            let (name, word, what) = (entity.entity, verb.as_str(), verb.meaning());
            format!("| `{name}.{word}` | `{}` | {what} |", entity.read.name())
        })
        .collect();
    Table { document, heading: "## The catalogue", is_row: begins_with_code }.check(&kinds);
}
