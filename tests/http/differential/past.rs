//! What is asked of the log: what was, what has happened, and that it be as it was.

use reqwest::Method;
use serde_json::json;
use tests::Client;

use super::{
    choice::Choice,
    script::{Call, Organization, Row, Script},
    steps::{row, versioned},
};

const KINDS: &[&str] = &[
    "expense.*",
    "expense.approved",
    "expense.created,category.*",
    "member.*, invitation.*,api_key.created",
    "budget.reverted",
    "budget.nonsense",
    "nonsense",
    "",
];

/// A row's history, the row as it was, or a way back to that.
pub(super) fn of_row(choice: &mut Choice, organization: &Organization) -> Call {
    let Row { path, version, .. } = row(choice, organization, None);
    let there = path.clone();
    let path = match choice.maybe_of(&organization.gone) {
        Some(gone) if choice.chance(15) => gone,
        _ => path,
    };
    match choice.below(6) {
        0 | 1 => Call::get(format!("{path}/history?limit={}", choice.of(&["1", "2", "50"]))),
        2 | 3 => Call::get(format!("{path}?as_of={}", instant(choice, &organization.instants))),
        _ => {
            let kinds = ["members", "categories", "budgets", "expenses", "organizations"];
            let of_kind = choice.of(&kinds);
            let row = row(choice, organization, Some(of_kind));
            let row = if row.path == there { Row { version, ..row } } else { row };
            back(choice, &row)
        }
    }
}

/// To any version that it has had, or to one that it has not.
fn back(choice: &mut Choice, row: &Row) -> Call {
    let to = choice.below(u64::try_from(row.version).unwrap_or(0) + 2);
    let at = Row { path: format!("{}/revert", row.path), ..row.clone() };
    versioned(choice, Method::POST, &at, json!({ "to_version": to }))
}

fn instant(choice: &mut Choice, instants: &[String]) -> String {
    let odd = ["2026-11-21T08:00:00Z", "2030-01-01T00:00:00%2B01:00", "0000-01-01T00:00:00Z", "x"];
    match choice.maybe_of(instants) {
        Some(known) if choice.chance(90) => known,
        _ => choice.of(&odd).to_owned(),
    }
}

/// Some of what has happened.
pub(super) fn told(choice: &mut Choice, organization: &Organization) -> Call {
    let mut path = format!("{}/events?after={}", organization.path, choice.below(40));
    if choice.chance(50) {
        path += &format!("&kinds={}", choice.of(KINDS));
    }
    if choice.chance(30) {
        let row = row(choice, organization, Some("expenses"));
        let about = [format!("expense/{}", row.id()), "member".into(), "nonsense/1".into()];
        path += &format!("&entity={}", choice.of(&about));
    }
    if choice.chance(50) {
        path += &format!("&limit={}", choice.of(&["1", "3", "500", "501"]));
    }
    Call::get(path)
}

impl Script {
    /// What was of oneself.
    pub(super) async fn own_past(&mut self, at: usize, client: &Client) {
        let version = self.people[at].version;
        let call = match self.choice.below(3) {
            0 => Call::get("/v1/users/me/history?limit=3"),
            1 => {
                let known = self.organizations.first().map(|it| it.instants.clone());
                let instant = instant(&mut self.choice, &known.unwrap_or_default());
                Call::get(format!("/v1/users/me?as_of={instant}"))
            }
            _ => back(&mut self.choice, &Row::at("/v1/users/me", version)),
        };
        let reverts = call.method == Method::POST;
        let answer = self.call(client, call).await;
        if reverts && answer.json["email"].is_string() {
            self.people[at].version = answer.json["version"].as_i64().unwrap_or(version);
        }
    }

    /// Listens to the first organization that admits one of its callers: the script may have deactivated some.
    pub(super) async fn listen(&mut self) {
        for organization in self.organizations.clone() {
            for caller in &organization.callers {
                let client = self.client_of(caller);
                let path = format!("{}/events/stream", organization.path);
                if self.call(&client, Call::get(path)).await.status.is_success() {
                    return;
                }
            }
        }
    }
}
