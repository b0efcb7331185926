//! The totals of spending, however expenses came to be as they are: what reports sum over them is what the expenses sum
//! to.

use std::collections::{BTreeMap, BTreeSet};

use entity::spending_total;
use proptest::{prelude::*, sample::select};
use sea_orm::{EntityTrait, sea_query::Expr};
use serde_json::{Value, json};
use service::money::expense::spending::verify::{repair, verify};
use tests::{App, Client, Database, at, each_database, for_all, id};

/// What is done to the expenses of an organization.
#[derive(Debug, Clone)]
enum Step {
    Create(Spent),
    CreateSome(Vec<Spent>),
    /// Of the expense at this place, if it may be changed.
    Change(usize, Spent),
    Note(usize),
    Transition(usize, &'static str),
    Delete(usize),
    /// Lets the totals be brought up to date.
    RunUntilIdle,
}

/// Places in the lists of categories, projects and members; zero is none, or whoever records.
#[derive(Debug, Clone)]
struct Spent {
    month: u32,
    day: u32,
    amount: i64,
    refund: bool,
    dollars: bool,
    names: [usize; 3],
    lines: Vec<[usize; 2]>,
}

fn spent() -> impl Strategy<Value = Spent> {
    let names = [0..3_usize, 0..3_usize, 0..2_usize];
    let lines = prop::collection::vec([0..3_usize, 0..3_usize], 0..4);
    let amount = prop_oneof![10..1000_i64, Just(9_007_199_254_740_991_i64)];
    (1..=4_u32, select(vec![1, 9, 28]), amount, any::<[bool; 2]>(), names, lines).prop_map(
        |(month, day, amount, [refund, dollars], names, lines)| Spent {
            month,
            day,
            amount,
            refund,
            dollars,
            names,
            lines,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0..12_usize;
    let step = prop_oneof![
        4 => spent().prop_map(Step::Create),
        1 => prop::collection::vec(spent(), 2..6).prop_map(Step::CreateSome),
        2 => (at.clone(), spent()).prop_map(|(at, spent)| Step::Change(at, spent)),
        1 => at.clone().prop_map(Step::Note),
        3 => (at.clone(), select(vec!["submit", "approve", "reject", "reimburse"]))
            .prop_map(|(at, by)| Step::Transition(at, by)),
        1 => at.prop_map(Step::Delete),
        2 => Just(Step::RunUntilIdle),
    ];
    prop::collection::vec(step, 1..24)
}

/// An organization, and what its expenses may name.
struct Place {
    path: String,
    names: [Vec<String>; 3],
}

impl Place {
    async fn new(client: &Client) -> Self {
        let path = client.found("company").await;
        let mut names = [const { Vec::new() }; 3];
        for (names, collection) in names.iter_mut().zip(["categories", "projects", "members"]) {
            for name in ["One", "Two"] {
                let made =
                    client.make(&format!("{path}/{collection}"), json!({ "name": name })).await;
                names.push(id(&made).to_owned());
            }
        }
        Self { path, names }
    }

    fn expenses(&self) -> String {
        format!("{}/expenses", self.path)
    }

    fn named(&self, kind: usize, at: usize) -> Value {
        at.checked_sub(1).map_or(Value::Null, |at| self.names[kind][at].clone().into())
    }

    fn body(&self, spent: &Spent) -> Value {
        let [category, project, member] = spent.names;
        let count = i64::try_from(spent.lines.len()).expect("few");
        let lines = spent.lines.iter().zip(0..).map(|([category, project], at)| {
            let rest = if at == 0 { spent.amount % count } else { 0 };
            json!({
                "name": "line", "amount_minor": spent.amount / count + rest,
                "category_id": self.named(0, *category), "project_id": self.named(1, *project),
            })
        });
        let mut body = json!({
            "spent_on": format!("2026-{:02}-{:02}", spent.month, spent.day),
            "amount_minor": spent.amount,
            "kind": if spent.refund { "refund" } else { "purchase" },
            "currency": if spent.dollars { "USD" } else { "EUR" },
            "category_id": self.named(0, category),
            "project_id": self.named(1, project),
            "items": lines.collect::<Vec<_>>(),
        });
        if member > 0 {
            body["member_id"] = self.named(2, member);
        }
        body
    }

    /// The status of the answer is not looked at: what is refused changes no sum.
    async fn take(&self, app: &App, clerks: [&Client; 2], step: &Step) {
        let [client, other] = clerks;
        let all = client.all(&self.expenses(), "?sort=created_at").await;
        let of = |at: &usize| (!all.is_empty()).then(|| &all[at % all.len()]);
        let path = |expense: &Value| at(&self.expenses(), expense);
        match step {
            Step::RunUntilIdle => app.run_until_idle().await,
            Step::Create(spent) => drop(client.make(&self.expenses(), self.body(spent)).await),
            Step::CreateSome(some) => {
                let items: Vec<_> = some.iter().map(|spent| self.body(spent)).collect();
                let path = format!("{}/batch", self.expenses());
                client.post(&path, json!({ "items": items })).await.expect(201);
            }
            Step::Change(at, spent) => {
                let Some(expense) = of(at) else { return };
                let mut change = self.body(spent);
                change["version"] = expense["version"].clone();
                drop(client.patch(&path(expense), change).await);
            }
            Step::Note(at) => {
                let Some(expense) = of(at) else { return };
                let change = json!({ "version": expense["version"], "note": "looked at" });
                drop(client.patch(&path(expense), change).await);
            }
            Step::Transition(at, by) => {
                let Some(expense) = of(at) else { return };
                let body = json!({ "version": expense["version"] });
                let moves = if *by == "submit" { client } else { other };
                drop(moves.post(&format!("{}/{by}", path(expense)), body).await);
            }
            Step::Delete(at) => {
                let Some(expense) = of(at) else { return };
                let version = &expense["version"];
                drop(client.delete(&format!("{}?version={version}", path(expense))).await);
            }
        }
    }

    /// Compares every report with the sums of the expenses.
    async fn compare(&self, client: &Client) {
        let all = client.all(&self.expenses(), "").await;
        let spans = [
            ["2026-01-01", "2026-12-31"],
            ["2026-01-09", "2026-03-31"],
            ["2026-02-01", "2026-04-08"],
        ];
        for [from, to] in spans {
            for project in 0..3 {
                let project = self.named(1, project);
                for group_by in ["category", "project", "member", "month"] {
                    let filter = project.as_str().map(|id| format!("&project_id={id}"));
                    let query = format!(
                        "from={from}&to={to}&group_by={group_by}{}",
                        filter.unwrap_or_default()
                    );
                    let path = format!("{}/reports/spending?{query}", self.path);
                    let report = client.read_anew(&path).await;
                    let within = all.iter().filter(|it| {
                        let day = text(&it["spent_on"]);
                        from <= day && day <= to && it["status"] != "rejected"
                    });
                    let [rows, totals] = sums(within, &project, group_by);
                    assert_eq!(shown(&report["rows"]), rows, "{query}");
                    assert_eq!(shown(&report["totals"]), totals, "{query}");
                }
            }
        }
    }
}

/// By group and currency: what is settled, what is pending, and how many expenses.
type Sums = BTreeMap<(String, String), [i128; 3]>;

/// What a report is to say: its groups, and its totals, of the group "all".
fn sums<'a>(
    expenses: impl Iterator<Item = &'a Value>,
    project: &Value,
    group_by: &str,
) -> [Sums; 2] {
    let mut sums = [Sums::new(), Sums::new()];
    for expense in expenses {
        let pending = !["approved", "reimbursed"].contains(&text(&expense["status"]));
        let lines = expense["items"].as_array().expect("lines");
        let parts = if lines.is_empty() { std::slice::from_ref(expense) } else { &lines[..] };
        let mut groups = [const { BTreeSet::new() }; 2];
        for part in parts {
            let own = |name: &str| if part[name].is_null() { &expense[name] } else { &part[name] };
            if !project.is_null() && own("project_id") != project {
                continue;
            }
            let group = match group_by {
                "category" => own("category_id").to_string(),
                "project" => own("project_id").to_string(),
                "member" => expense["member_id"].to_string(),
                _ => json!(text(&expense["spent_on"])[..7]).to_string(),
            };
            let sign = if expense["kind"] == "refund" { -1 } else { 1 };
            let amount = sign * i128::from(part["amount_minor"].as_i64().expect("an amount"));
            for (at, group) in [group, "all".to_owned()].into_iter().enumerate() {
                let key = (group, text(&expense["currency"]).to_owned());
                sums[at].entry(key.clone()).or_default()[usize::from(pending)] += amount;
                groups[at].insert(key);
            }
        }
        for (sums, groups) in sums.iter_mut().zip(groups) {
            groups.into_iter().for_each(|key| sums.entry(key).or_default()[2] += 1);
        }
    }
    sums
}

/// What a report says.
fn shown(rows: &Value) -> Sums {
    let rows = rows.as_array().expect("rows").iter().map(|row| {
        let number = |name: &str| -> i128 { row[name].to_string().parse().expect("a number") };
        let group = row.get("key").map_or("all".to_owned(), Value::to_string);
        let sums = ["amount_minor", "pending_minor", "count"].map(number);
        ((group, text(&row["currency"]).to_owned()), sums)
    });
    rows.collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[each_database(flavor = "multi_thread")]
async fn reports_say_what_the_expenses_sum_to(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for_all(12, &steps(), async |steps: Vec<Step>| {
        let place = Place::new(&ada).await;
        let other = ada.invite(&place.path, "admin").await;
        for step in &steps {
            place.take(&app, [&ada, &other], step).await;
        }
        place.compare(&ada).await;
        app.run_until_idle().await;
        place.compare(&ada).await;
    });
    let findings = verify(&app.store).await.expect("findings");
    assert!(findings.iter().any(|found| found.totals > 0));
    for found in findings {
        assert_eq!(found.faults, Vec::<String>::new());
    }
    app.stop().await;
}

#[each_database]
async fn a_total_that_is_wrong_is_found_and_made_anew(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    ada.make(&expenses, json!({ "spent_on": "2026-11-01", "amount_minor": 5 })).await;
    app.run_until_idle().await;
    let report = format!("{home}/reports/spending?from=2026-11-01&to=2026-11-30&group_by=month");
    let right = ada.read_anew(&report).await;
    assert_eq!(right["totals"][0]["amount_minor"], 5);
    let one_more = spending_total::Entity::update_many()
        .col_expr(spending_total::Column::SettledLow, Expr::val(6_i64));
    app.store.write(async move |tx| Ok(one_more.clone().exec(tx).await?)).await.expect("written");
    assert_eq!(ada.read_anew(&report).await["totals"][0]["amount_minor"], 6);
    let [found] = &verify(&app.store).await.expect("findings")[..] else {
        panic!("there is one organization")
    };
    assert_eq!([found.totals, found.faults.len() as u64], [0, 3]);
    assert!(found.faults[0].contains("should be 5 settled"), "{}", found.faults[0]);
    repair(&app.store, found.organization_id).await.expect("repaired");
    assert_eq!(ada.read_anew(&report).await, right);
    let [found] = &verify(&app.store).await.expect("findings")[..] else {
        panic!("there is one organization")
    };
    assert_eq!((found.totals, found.faults.is_empty()), (3, true));
    app.stop().await;
}
