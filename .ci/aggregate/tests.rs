//! __Texts__.

use serde_json::{Value, json};
use tests::{App, Database, at, each_database};

#[each_database]
async fn they_are_listed_by_name_in_any_case(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let __snakes__ = format!("{home}/__kebabs__");
    for name in ["b", "Ä", "A", "c"] {
        ada.make(&__snakes__, json!({ "name": name })).await;
    }
    let listed = ada.all(&__snakes__, "?limit=1").await;
    let names: Vec<_> = listed.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["A", "b", "c", "Ä"]);
    app.stop().await;
}

#[each_database]
async fn the_name_is_visible_and_the_note_can_be_cleared(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let __snakes__ = format!("{home}/__kebabs__");
    for name in ["", "   ", &"x".repeat(101)] {
        let refused = ada.post(&__snakes__, json!({ "name": name })).await;
        assert_eq!(refused.expect_violations(), ["/name"], "{name:?}");
    }
    let long = json!({ "name": "x", "note": "x".repeat(5001) });
    assert_eq!(ada.post(&__snakes__, long).await.expect_violations(), ["/note"]);
    let made = ada.make(&__snakes__, json!({ "name": "x", "note": "y" })).await;
    let cleared = json!({ "version": 1, "note": null });
    let changed = ada.patch(&at(&__snakes__, &made), cleared).await.expect(200);
    assert_eq!((&changed["name"], &changed["note"]), (&json!("x"), &Value::Null));
    app.stop().await;
}
