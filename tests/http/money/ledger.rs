//! Accounts, transfers between them, and reversals.

use reqwest::StatusCode;
use serde_json::{Value, json};
use service::money::journal_entry::verify::{Findings, verify};
use tests::{App, Client, Database, at, each_database, id};

/// A household with a few accounts.
struct Books {
    ada: Client,
    home: String,
    /// An asset that may not go below zero.
    cash: Value,
    food: Value,
    equity: Value,
}

impl Books {
    async fn open(app: &App) -> Self {
        let (ada, home) = app.owner_of("household").await;
        let account = async |new| ada.make(&format!("{home}/accounts"), new).await;
        let limited = json!({ "name": "Cash", "kind": "asset", "may_go_below_zero": false });
        let cash = account(limited).await;
        let food = account(json!({ "name": "Food", "kind": "expense" })).await;
        let equity = account(json!({ "name": "Equity", "kind": "equity" })).await;
        Self { ada, home, cash, food, equity }
    }

    fn entries(&self) -> String {
        format!("{}/journal-entries", self.home)
    }

    fn accounts(&self) -> String {
        format!("{}/accounts", self.home)
    }

    /// Debit, credit and balance.
    async fn balance(&self, account: &Value) -> [i64; 3] {
        let path = format!("{}/balance", at(&self.accounts(), account));
        let balance = self.ada.read(&path).await;
        ["debits_minor", "credits_minor", "balance_minor"]
            .map(|name| balance[name].as_i64().unwrap())
    }
}

fn transfer(debit: &Value, credit: &Value, amount: i64) -> Value {
    json!({ "debit_account_id": debit["id"], "credit_account_id": credit["id"],
        "amount_minor": amount, "currency": "EUR" })
}

fn entry(transfers: &[Value]) -> Value {
    json!({ "occurred_on": "2026-11-02", "memo": "Market", "transfers": transfers })
}

async fn faults(app: &App) -> Vec<String> {
    let findings = verify(&app.store).await.unwrap();
    findings.into_iter().flat_map(|Findings { faults, .. }| faults).collect()
}

#[each_database]
async fn an_entry_moves_its_accounts_and_a_reversal_moves_them_back(database: Database) {
    let app = App::start(&database).await;
    let books = Books::open(&app).await;
    let Books { ada, cash, food, equity, .. } = &books;
    ada.make(&books.entries(), entry(&[transfer(cash, equity, 1000)])).await;
    let both = [transfer(food, cash, 300), transfer(food, cash, 50)];
    let bought = ada.make(&books.entries(), entry(&both)).await;
    assert_eq!(bought["version"], 1);
    assert_eq!(books.balance(cash).await, [1000, 350, 650]);
    assert_eq!(books.balance(food).await, [350, 0, 350]);
    assert_eq!(books.balance(equity).await, [0, 1000, 1000]);

    let reverse = format!("{}/reverse", at(&books.entries(), &bought));
    let act = json!({ "version": 1, "memo": "no" });
    let reversed = ada.post(&reverse, act).await.expect(200);
    assert_eq!((&reversed["version"], &reversed["memo"]), (&json!(2), &json!("Market")));
    let reversal = ada
        .read(&format!("{}/{}", books.entries(), reversed["reversed_by_id"].as_str().unwrap()))
        .await;
    assert_eq!(reversal["reverses_id"], bought["id"]);
    assert_eq!(reversal["occurred_on"], "2026-11-02");
    let back = [transfer(cash, food, 300), transfer(cash, food, 50)];
    assert_eq!(reversal["transfers"], json!(back));
    assert_eq!(books.balance(food).await, [350, 350, 0]);

    // Once.
    let again = ada.post(&reverse, json!({ "version": 2 })).await;
    again.expect_problem(409, "already_reversed");
    let stale = ada.post(&reverse, json!({ "version": 1 })).await;
    assert_eq!(stale.expect_problem(409, "version_conflict")["current"], reversed);
    assert_eq!(ada.all(&books.entries(), "").await.len(), 3);
    let of_food = format!("?account_id={}&limit=1", id(food));
    assert_eq!(ada.all(&books.entries(), &of_food).await.len(), 2);
    let listed = ada.read(&format!("{}/balances", books.home)).await;
    let names = listed["items"].as_array().unwrap().iter().map(|row| row["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["Cash", "Equity", "Food"]);
    assert_eq!(faults(&app).await, Vec::<String>::new());
    app.stop().await;
}

#[each_database]
async fn what_an_account_does_not_allow_is_refused_as_a_whole(database: Database) {
    let app = App::start(&database).await;
    let books = Books::open(&app).await;
    let Books { ada, cash, food, equity, .. } = &books;
    let post = async |transfers: &[Value]| ada.post(&books.entries(), entry(transfers)).await;
    post(&[transfer(cash, equity, 100)]).await.expect(201);
    let over = [transfer(food, equity, 5), transfer(food, cash, 101)];
    post(&over).await.expect_problem(409, "account_overdrawn");
    // What comes in counts for what goes out, within an entry.
    post(&[transfer(food, cash, 150), transfer(cash, equity, 50)]).await.expect(201);
    assert_eq!(books.balance(cash).await, [150, 150, 0]);

    let dollars = json!({ "name": "Dollars", "kind": "asset", "currency": "USD" });
    let dollars = ada.make(&books.accounts(), dollars).await;
    let nobody = json!({ "id": "01900000-0000-7000-8000-000000000000" });
    let bad = [transfer(&dollars, equity, 1), transfer(food, &nobody, 1)];
    let pointers = post(&bad).await.expect_violations();
    assert_eq!(pointers, ["/transfers/0/debit_account_id", "/transfers/1/credit_account_id"]);
    let pointers = post(&[transfer(food, food, 1)]).await.expect_violations();
    assert_eq!(pointers, ["/transfers/0/credit_account_id"]);
    assert_eq!(post(&[]).await.expect_violations(), ["/transfers"]);
    assert_eq!(
        post(&[transfer(food, cash, 0)]).await.expect_violations(),
        ["/transfers/0/amount_minor"]
    );

    let path = at(&books.accounts(), food);
    let closed = ada.patch(&path, json!({ "version": 1, "closed": true })).await.expect(200);
    assert_eq!(closed["closed"], true);
    post(&[transfer(food, equity, 1)]).await.expect_problem(409, "account_closed");
    let used = ada.delete(&format!("{}?version=2", at(&books.accounts(), food))).await;
    used.expect_problem(409, "in_use");
    let unused = ada.delete(&format!("{}?version=1", at(&books.accounts(), &dollars))).await;
    assert_eq!(unused.status, StatusCode::NO_CONTENT);
    for (field, value) in [("kind", "asset"), ("currency", "USD")] {
        let change = json!({ "version": 1, field: value });
        let answer = ada.patch(&at(&books.accounts(), equity), change).await;
        assert_eq!(answer.expect_violations(), [format!("/{field}")]);
    }
    assert_eq!(books.balance(cash).await, [150, 150, 0]);
    assert_eq!(faults(&app).await, Vec::<String>::new());
    app.stop().await;
}

#[each_database]
async fn a_limit_cannot_be_set_on_what_is_below_it(database: Database) {
    let app = App::start(&database).await;
    let books = Books::open(&app).await;
    let Books { ada, food, equity, .. } = &books;
    ada.make(&books.entries(), entry(&[transfer(equity, food, 7)])).await;
    assert_eq!(books.balance(food).await, [0, 7, -7]);
    let path = at(&books.accounts(), food);
    let limit = json!({ "version": 1, "may_go_below_zero": false });
    ada.patch(&path, limit.clone()).await.expect_problem(409, "below_zero");
    ada.make(&books.entries(), entry(&[transfer(food, equity, 7)])).await;
    ada.patch(&path, limit).await.expect(200);
    let below = ada.post(&books.entries(), entry(&[transfer(equity, food, 1)])).await;
    below.expect_problem(409, "account_overdrawn");
    app.stop().await;
}

#[each_database]
async fn sums_are_exact_up_to_the_largest_number_and_never_wrap(database: Database) {
    let app = App::start(&database).await;
    let books = Books::open(&app).await;
    let Books { ada, food, equity, .. } = &books;
    const MOST: i64 = 9_007_199_254_740_991;
    let many = |count| entry(&vec![transfer(food, equity, MOST); count]);
    for count in [200, 200, 200, 200, 200, 24] {
        ada.make(&books.entries(), many(count)).await;
    }
    let sum = 1024 * MOST;
    assert_eq!(books.balance(food).await, [sum, 0, sum]);
    ada.post(&books.entries(), many(1)).await.expect_problem(409, "balance_overflow");
    ada.make(&books.entries(), entry(&[transfer(food, equity, i64::MAX - sum)])).await;
    assert_eq!(books.balance(equity).await, [0, i64::MAX, i64::MAX]);
    let one = entry(&[transfer(food, equity, 1)]);
    ada.post(&books.entries(), one).await.expect_problem(409, "balance_overflow");
    assert_eq!(faults(&app).await, Vec::<String>::new());
    app.stop().await;
}

#[each_database]
async fn an_id_that_a_client_chose_is_posted_once_however_often_it_is_sent(database: Database) {
    let app = App::start(&database).await;
    let books = Books::open(&app).await;
    let Books { ada, cash, equity, .. } = &books;
    let mut new = entry(&[transfer(cash, equity, 5)]);
    new["id"] = json!("01900000-0000-7000-8000-00000000000a");
    let entries = books.entries();
    let sent = (0..20).map(|_| ada.post(&entries, new.clone()));
    let answers = futures_util::future::join_all(sent).await;
    let posted = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(posted, 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.expect_problem(409, "duplicate");
    }
    assert_eq!(books.balance(cash).await, [5, 0, 5]);
    app.stop().await;
}
