//! Which rules of time zones there are, as an operator sees it.

use serde_json::json;
use service::zone;
use tests::{Client, Database, each_lasting_database};

use crate::support::{Process, steward};

#[each_lasting_database(flavor = "multi_thread")]
async fn an_operator_sees_which_time_zones_there_are_and_what_differs(database: Database) {
    let process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("company").await;
    let day = json!({ "day": "2026-11-16", "minutes": 60 });
    ada.make(&format!("{home}/time-entries"), day).await;
    let run = |arguments: &[&str]| {
        let output = steward(&database).args(arguments).output().expect("steward runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let version = zone::Database::bundled_version();
    let (code, shown, _) = run(&["check"]);
    assert_eq!(code, Some(0));
    assert!(shown.contains(&format!("time zones     {version} (bundled)")), "{shown}");
    let (code, _, error) = run(&["check", "--zoneinfo", "/nowhere/at/all"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("the time zones in /nowhere/at/all cannot be read"), "{error}");
    let (code, shown, _) = run(&["verify", "--zones"]);
    let all = "1 rows looked at, 0 differ, 0 written anew";
    assert_eq!((code, shown.lines().last()), (Some(0), Some(all)));
    assert_eq!(run(&["verify", "--redate"]).0, Some(2), "only of zones");
}
