//! Rollups, exchanges and the log are what follows from the readings, whatever was done to these in which order.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use service::meter::reading::verify;
use tests::{App, Client, Database, each_database};

use super::{add, made};

/// Numbers that are the same in each run (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Of some days, near to each other or far apart.
    fn instant(&mut self) -> DateTime<Utc> {
        let start = "2026-10-24T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let step = [60, 450, 900, 3_600, 40_000][self.below(5) as usize];
        start + TimeDelta::seconds(i64::from(self.below(30) as u32) * step)
    }

    fn value(&mut self) -> u64 {
        self.below(1000)
    }

    async fn act(&mut self, ada: &Client, meter: &str) -> u16 {
        let at = self.instant().to_rfc3339();
        let answer = match self.below(12) {
            0 => {
                let body = json!({ "value": self.value() });
                ada.send(Method::PUT, &format!("{meter}/readings/{at}"), Some(body)).await
            }
            1 => {
                let to = self.instant() + TimeDelta::seconds(1);
                let to = to.to_rfc3339().replace('+', "%2B");
                let from = at.replace('+', "%2B");
                ada.delete(&format!("{meter}/readings?from={from}&to={to}")).await
            }
            2 => {
                let kind = ["reset", "exchange"][self.below(2) as usize];
                let body = json!({ "kind": kind, "before": self.value(), "after": self.below(50) });
                ada.send(Method::PUT, &format!("{meter}/exchanges/{at}"), Some(body)).await
            }
            3 => {
                let kind = ["reset", "exchange"][self.below(2) as usize];
                ada.delete(&format!("{meter}/exchanges/{at}?kind={kind}")).await
            }
            _ => {
                let count = 1 + self.below(8);
                let item = |_| json!({ "at": self.instant().to_rfc3339(), "value": self.value() });
                let items: Vec<Value> = (0..count).map(item).collect();
                ada.post(&format!("{meter}/readings"), json!({ "items": items })).await
            }
        };
        assert!(!answer.status.is_server_error(), "{}", answer.text);
        answer.status.as_u16()
    }
}

async fn assert_sound(app: &App, what: &str) -> u64 {
    let found = verify::verify(&app.store).await.unwrap();
    for findings in &found {
        assert_eq!(findings.faults, [""; 0], "{what}");
    }
    found.iter().map(|findings| findings.readings).sum()
}

#[each_database]
async fn what_is_kept_as_readings_change_is_what_follows_from_them(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let mut chance = Chance(7);
    for (kind, more) in [
        ("counter", json!({ "on_drop": "rollover", "rollover_at": 1000 })),
        ("counter", json!({ "on_drop": "reset" })),
        ("counter", json!({})),
        ("gauge", json!({})),
        ("delta", json!({})),
    ] {
        let mut more = more;
        more["on_conflict"] = json!("replace");
        let meter = made(&ada, &home, kind, more).await;
        let mut done = 0;
        for step in 0..60 {
            let status = chance.act(&ada, &meter).await;
            done += u64::from(status < 300);
            if step % 10 == 9 {
                assert_sound(&app, &format!("{kind}, step {step}")).await;
            }
        }
        assert!(done > 20, "{done} of 60 succeeded");
    }
    assert!(assert_sound(&app, "in the end").await > 50);
    app.stop().await;
}

#[each_database]
async fn what_was_changed_behind_its_back_shows(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = made(&ada, &home, "counter", json!({})).await;
    let some = [("2026-11-02T08:00:00Z", 1.0), ("2026-11-02T08:20:00Z", 5.0)];
    add(&ada, &meter, &some).await;
    assert_eq!(assert_sound(&app, "before").await, 2);
    for (change, back) in [
        ("UPDATE reading_rollup SET max = max + 1", "UPDATE reading_rollup SET max = max - 1"),
        ("UPDATE reading SET value = value + 1", "UPDATE reading SET value = value - 1"),
        ("UPDATE meter_state SET readings = 3", "UPDATE meter_state SET readings = 2"),
    ] {
        for (statement, is_sound) in [(change, false), (back, true)] {
            let run = app.store.write(async move |tx| {
                tx.execute_unprepared(statement).await?;
                Ok(())
            });
            run.await.unwrap();
            let found = verify::verify(&app.store).await.unwrap();
            assert_eq!(found.iter().all(|it| it.faults.is_empty()), is_sound, "{statement}");
        }
    }
    app.stop().await;
}
