//! No page of a list costs more where there are more rows: whatever is asked for and in whatever order, the
//! databases go to the rows of the page through an index, as far as the tables below do not say otherwise.
//!
//! Each list is asked for with nothing and with each of its filters, once for what all rows have and once for what
//! none has, in each of its orders, its first page and the one after. What the databases do for the statements is
//! counted, not timed.

use std::collections::BTreeSet;

use reqwest::Method;
use service::store::{Engine, Options};
use tests::{
    App, AppOptions, Database, Route, Sample, crowd, each_lasting_database,
    work::{Counter, Statements},
};

/// How many rows of each kind the organization has.
const ROWS: u32 = 3000;

/// Which lists read more than their page on SQLite, which knows no rare value from a frequent one: orders besides the
/// first one under a filter, what other tables say of a row (tags, lines, accounts, the status of a week), and what is
/// near a place: an index finds it, in no order.
const GROWS_ON_SQLITE: &[&str] = &[
    "/v1/organizations/{organization_id}/daily-reports ?item_kind -day",
    "/v1/organizations/{organization_id}/daily-reports ?item_kind day",
    "/v1/organizations/{organization_id}/expenses ?amount_from -created_at",
    "/v1/organizations/{organization_id}/expenses ?amount_from -merchant",
    "/v1/organizations/{organization_id}/expenses ?amount_from -spent_on",
    "/v1/organizations/{organization_id}/expenses ?amount_from created_at",
    "/v1/organizations/{organization_id}/expenses ?amount_from merchant",
    "/v1/organizations/{organization_id}/expenses ?amount_from spent_on",
    "/v1/organizations/{organization_id}/expenses ?amount_to -created_at",
    "/v1/organizations/{organization_id}/expenses ?amount_to -merchant",
    "/v1/organizations/{organization_id}/expenses ?amount_to -spent_on",
    "/v1/organizations/{organization_id}/expenses ?amount_to created_at",
    "/v1/organizations/{organization_id}/expenses ?amount_to merchant",
    "/v1/organizations/{organization_id}/expenses ?amount_to spent_on",
    "/v1/organizations/{organization_id}/expenses ?category_id -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?category_id -created_at",
    "/v1/organizations/{organization_id}/expenses ?category_id -merchant",
    "/v1/organizations/{organization_id}/expenses ?category_id -spent_on",
    "/v1/organizations/{organization_id}/expenses ?category_id amount_minor",
    "/v1/organizations/{organization_id}/expenses ?category_id created_at",
    "/v1/organizations/{organization_id}/expenses ?category_id merchant",
    "/v1/organizations/{organization_id}/expenses ?category_id spent_on",
    "/v1/organizations/{organization_id}/expenses ?currency -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?currency -created_at",
    "/v1/organizations/{organization_id}/expenses ?currency -merchant",
    "/v1/organizations/{organization_id}/expenses ?currency -spent_on",
    "/v1/organizations/{organization_id}/expenses ?currency amount_minor",
    "/v1/organizations/{organization_id}/expenses ?currency created_at",
    "/v1/organizations/{organization_id}/expenses ?currency merchant",
    "/v1/organizations/{organization_id}/expenses ?currency spent_on",
    "/v1/organizations/{organization_id}/expenses ?kind -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?kind -created_at",
    "/v1/organizations/{organization_id}/expenses ?kind -merchant",
    "/v1/organizations/{organization_id}/expenses ?kind -spent_on",
    "/v1/organizations/{organization_id}/expenses ?kind amount_minor",
    "/v1/organizations/{organization_id}/expenses ?kind created_at",
    "/v1/organizations/{organization_id}/expenses ?kind merchant",
    "/v1/organizations/{organization_id}/expenses ?kind spent_on",
    "/v1/organizations/{organization_id}/expenses ?member_id -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?member_id -created_at",
    "/v1/organizations/{organization_id}/expenses ?member_id -merchant",
    "/v1/organizations/{organization_id}/expenses ?member_id amount_minor",
    "/v1/organizations/{organization_id}/expenses ?member_id created_at",
    "/v1/organizations/{organization_id}/expenses ?member_id merchant",
    "/v1/organizations/{organization_id}/expenses ?near -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?near -created_at",
    "/v1/organizations/{organization_id}/expenses ?near -merchant",
    "/v1/organizations/{organization_id}/expenses ?near -spent_on",
    "/v1/organizations/{organization_id}/expenses ?near amount_minor",
    "/v1/organizations/{organization_id}/expenses ?near created_at",
    "/v1/organizations/{organization_id}/expenses ?near merchant",
    "/v1/organizations/{organization_id}/expenses ?near spent_on",
    "/v1/organizations/{organization_id}/expenses ?project_id -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?project_id -merchant",
    "/v1/organizations/{organization_id}/expenses ?project_id amount_minor",
    "/v1/organizations/{organization_id}/expenses ?project_id merchant",
    "/v1/organizations/{organization_id}/expenses ?spent_from -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?spent_from -created_at",
    "/v1/organizations/{organization_id}/expenses ?spent_from -merchant",
    "/v1/organizations/{organization_id}/expenses ?spent_from amount_minor",
    "/v1/organizations/{organization_id}/expenses ?spent_from created_at",
    "/v1/organizations/{organization_id}/expenses ?spent_from merchant",
    "/v1/organizations/{organization_id}/expenses ?spent_to -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?spent_to -created_at",
    "/v1/organizations/{organization_id}/expenses ?spent_to -merchant",
    "/v1/organizations/{organization_id}/expenses ?spent_to amount_minor",
    "/v1/organizations/{organization_id}/expenses ?spent_to created_at",
    "/v1/organizations/{organization_id}/expenses ?spent_to merchant",
    "/v1/organizations/{organization_id}/expenses ?status -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?status -created_at",
    "/v1/organizations/{organization_id}/expenses ?status -merchant",
    "/v1/organizations/{organization_id}/expenses ?status amount_minor",
    "/v1/organizations/{organization_id}/expenses ?status created_at",
    "/v1/organizations/{organization_id}/expenses ?status merchant",
    "/v1/organizations/{organization_id}/expenses ?tag -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?tag -created_at",
    "/v1/organizations/{organization_id}/expenses ?tag -merchant",
    "/v1/organizations/{organization_id}/expenses ?tag -spent_on",
    "/v1/organizations/{organization_id}/expenses ?tag amount_minor",
    "/v1/organizations/{organization_id}/expenses ?tag created_at",
    "/v1/organizations/{organization_id}/expenses ?tag merchant",
    "/v1/organizations/{organization_id}/expenses ?tag spent_on",
    "/v1/organizations/{organization_id}/journal-entries ?account_id -occurred_on",
    "/v1/organizations/{organization_id}/journal-entries ?account_id occurred_on",
    "/v1/organizations/{organization_id}/time-entries ?billable updated_at",
    "/v1/organizations/{organization_id}/time-entries ?changed_since -started_at",
    "/v1/organizations/{organization_id}/time-entries ?changed_since started_at",
    "/v1/organizations/{organization_id}/time-entries ?from updated_at",
    "/v1/organizations/{organization_id}/time-entries ?member_id updated_at",
    "/v1/organizations/{organization_id}/time-entries ?project_id updated_at",
    "/v1/organizations/{organization_id}/time-entries ?status -started_at",
    "/v1/organizations/{organization_id}/time-entries ?status started_at",
    "/v1/organizations/{organization_id}/time-entries ?status updated_at",
    "/v1/organizations/{organization_id}/time-entries ?tag -started_at",
    "/v1/organizations/{organization_id}/time-entries ?tag started_at",
    "/v1/organizations/{organization_id}/time-entries ?tag updated_at",
    "/v1/organizations/{organization_id}/time-entries ?task_id updated_at",
    "/v1/organizations/{organization_id}/time-entries ?to updated_at",
];

/// The same on PostgreSQL.
const GROWS_ON_POSTGRES: &[&str] = &[
    "/v1/organizations/{organization_id}/expenses ?category_id -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?category_id -created_at",
    "/v1/organizations/{organization_id}/expenses ?category_id -merchant",
    "/v1/organizations/{organization_id}/expenses ?category_id -spent_on",
    "/v1/organizations/{organization_id}/expenses ?category_id amount_minor",
    "/v1/organizations/{organization_id}/expenses ?category_id created_at",
    "/v1/organizations/{organization_id}/expenses ?category_id merchant",
    "/v1/organizations/{organization_id}/expenses ?category_id spent_on",
    "/v1/organizations/{organization_id}/expenses ?currency -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?currency -created_at",
    "/v1/organizations/{organization_id}/expenses ?currency -merchant",
    "/v1/organizations/{organization_id}/expenses ?currency -spent_on",
    "/v1/organizations/{organization_id}/expenses ?currency amount_minor",
    "/v1/organizations/{organization_id}/expenses ?currency created_at",
    "/v1/organizations/{organization_id}/expenses ?currency merchant",
    "/v1/organizations/{organization_id}/expenses ?currency spent_on",
    "/v1/organizations/{organization_id}/expenses ?kind -amount_minor",
    "/v1/organizations/{organization_id}/expenses ?kind -created_at",
    "/v1/organizations/{organization_id}/expenses ?kind -merchant",
    "/v1/organizations/{organization_id}/expenses ?kind -spent_on",
    "/v1/organizations/{organization_id}/expenses ?kind amount_minor",
    "/v1/organizations/{organization_id}/expenses ?kind created_at",
    "/v1/organizations/{organization_id}/expenses ?kind merchant",
    "/v1/organizations/{organization_id}/expenses ?kind spent_on",
    "/v1/organizations/{organization_id}/journal-entries ?account_id -occurred_on",
    "/v1/organizations/{organization_id}/journal-entries ?account_id occurred_on",
];

/// The lists that stay short over the years, by the end of their path; and the history of one row.
const SHORT: &[&str] = &[
    "accounts",
    "amendments",
    "api-keys",
    "attachments",
    "balances",
    "budgets",
    "categories",
    "collections",
    "exchanges",
    "history",
    "invitations",
    "members",
    "meters",
    "organizations",
    "projects",
    "rules",
    "sessions",
    "webhooks",
];

/// Whether a list may have no second page. One without a cursor goes on from a position in the log.
fn is_short(route: &Route) -> bool {
    let collection = route.path.rsplit('/').next().unwrap_or_default();
    SHORT.contains(&collection) || !route.query().contains(&"cursor")
}

/// What a page may cost: rows on PostgreSQL, instructions on SQLite.
fn bound(engine: Engine) -> u64 {
    match engine {
        Engine::Sqlite => 12_000,
        Engine::Postgres => 400,
    }
}

/// The values that a filter is asked for with: what all rows have, what none has, and both.
fn values(sample: &Sample, route: &Route, name: &str) -> Vec<String> {
    let mut values = single_values(sample, route, name);
    if route.takes_several(name) {
        values.push(values.iter().take(2).cloned().collect::<Vec<_>>().join(","));
    }
    if route.takes_none(name) {
        values.extend(values.first().map(|value| format!("{value},none")));
        values.push("none".to_owned());
    }
    values
}

fn single_values(sample: &Sample, route: &Route, name: &str) -> Vec<String> {
    let ids =
        |all: &str, none: &str| [all, none].map(|name| sample.value(name).to_owned()).to_vec();
    let texts = |all: &str, none: &str| [all, none].map(str::to_owned).to_vec();
    match name {
        "member" | "member_id" | "assignee_member_id" => ids("payer", "member_id"),
        "project_id" => ids("site", "project_id"),
        "category_id" => ids("category_id", "payer"),
        "task_id" => ids("task_id", "payer"),
        "account_id" => ids("debit", "account_id"),
        "subject_id" => ids("expense_id", "payer"),
        "tag" => texts("common", "rare"),
        "currency" => texts("EUR", "ISK"),
        "entity" => texts("expense", "invitation"),
        "entities" => texts("expense", "budget"),
        "kinds" => texts("expense.created", "budget.deleted"),
        "from" | "spent_from" | "due_from" | "occurred_from" => texts("1800-01-01", "2090-01-01"),
        "to" | "spent_to" | "due_to" | "occurred_to" => texts("2090-01-01", "1800-01-01"),
        "changed_since" => texts("1800-01-01T00:00:00Z", "2090-01-01T00:00:00Z"),
        "amount_from" => texts("1", "9000000000"),
        "amount_to" => texts("9000000000", "1"),
        "prefix" => texts("note", "zzz"),
        "near" => texts("0,0", "45,45"),
        // Goes with `near`.
        "since" | "within" => vec![],
        // After the end, there is nothing to ask for.
        "after" => texts("0", "50"),
        _ => {
            let values = route.values(name);
            assert!(!values.is_empty(), "nothing for ?{name}: add values to this function");
            values
        }
    }
}

/// The queries of a list: its filter, and its order.
fn queries(sample: &Sample, route: &Route) -> Vec<(String, String)> {
    let mut filters = vec![String::new()];
    for name in route.query() {
        // A search looks at all texts, fields are those of the rows of the page, and a format shows the same rows.
        if !["limit", "cursor", "sort", "q", "fields", "format"].contains(&name) {
            let values = values(sample, route, name).into_iter();
            filters.extend(values.map(|value| format!("{name}={value}")));
        }
    }
    let mut sorts = route.values("sort");
    if sorts.is_empty() {
        sorts.push(String::new());
    }
    let pairs = filters.iter().flat_map(|filter| sorts.iter().map(move |sort| (filter, sort)));
    pairs.map(|(filter, sort)| (filter.clone(), sort.clone())).collect()
}

#[each_lasting_database]
async fn no_page_of_a_list_costs_more_where_there_are_more_rows(database: Database) {
    let heard = Statements::default();
    let observer = Some(heard.observer());
    let store = Options { observer, ..AppOptions::default().store };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let sample = Sample::make(&app.anonymous()).await;
    app.run_until_idle().await;
    crowd::fill(&app.store, &sample, ROWS).await;
    let counter = Counter::connect(&database).await;
    let mut grown = BTreeSet::new();
    let is_list = |route: &Route| {
        route.method == Method::GET && route.query().contains(&"limit") && !route.streams()
    };
    for route in Route::all().into_iter().filter(is_list) {
        for (filter, sort) in queries(&sample, &route) {
            let path = format!("{}?{filter}&sort={sort}", sample.path(&route));
            let path = if sort.is_empty() { path.replace("&sort=", "") } else { path };
            let mut cursor = String::new();
            for _ in 0..2 {
                heard.take();
                let answer = sample.owner.read(&format!("{path}{cursor}")).await;
                let cost = counter.reads(heard.take()).await;
                let (name, value) = filter.split_once('=').unwrap_or(("", ""));
                // Each value of several has a page of its own, of which the list's is made.
                let several =
                    if route.takes_several(name) { value.split(',').count() as u64 } else { 1 };
                if cost > several * bound(database.engine) {
                    grown.insert(format!("{} ?{name} {sort}", route.path));
                }
                let next = answer["next_cursor"].as_str();
                assert!(
                    next.is_some() || !filter.is_empty() || is_short(&route),
                    "{} has one page: the row of tests/src/sample.rs has no copies (tests/src/crowd.rs)",
                    route.name(),
                );
                let Some(next) = next else { break };
                cursor = format!("&cursor={next}");
            }
        }
    }
    let known = match database.engine {
        Engine::Sqlite => GROWS_ON_SQLITE,
        Engine::Postgres => GROWS_ON_POSTGRES,
    };
    let known: BTreeSet<_> = known.iter().map(|list| (*list).to_owned()).collect();
    let lines: String = grown.iter().map(|list| format!("    {list:?},\n")).collect();
    assert_eq!(grown, known, "the whole table, as counted:\n{lines}");
    app.stop().await;
}
