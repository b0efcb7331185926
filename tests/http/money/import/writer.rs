//! What imports leave to others: the writer.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use serde_json::json;
use service::Store;
use tests::{App, Database, each_lasting_database};
use tokio::sync::oneshot;

/// Keeps the writer until what is given goes.
async fn occupy(store: &Store) -> oneshot::Sender<()> {
    let ((release, released), (begun, has_begun)) = (oneshot::channel(), oneshot::channel());
    let signals = Mutex::new(Some((begun, released.shared())));
    let store = store.clone();
    tokio::spawn(async move {
        let signals = Arc::new(signals);
        store
            .write(async move |_| {
                let taken = signals.lock().expect("nobody panics").take();
                if let Some((begun, released)) = taken {
                    let _ = begun.send(());
                    let _ = released.await;
                }
                Ok(())
            })
            .await
    });
    has_begun.await.expect("the writer takes it");
    release
}

#[each_lasting_database]
async fn a_dry_run_waits_for_no_other_write(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let expenses = format!("{company}/expenses/import?date=d&amount=a&category=c");
    let rows: String = (1..=1200).map(|n| format!("2026-11-01,{n},Food\n")).collect();
    let file = format!("d,a,c\n{rows}");
    let time = format!("{company}/time-entries/import?create_projects=true&create_tasks=true");
    let sheet = "Start date,Start time,Duration,Project,Task\n\
        2026-11-02,08:00,1:00,Roof,Tiles\n2026-11-02,08:30,1:00,Roof,Tiles\n";
    let written = "d,a,c\n2026-11-01,1,\n";
    ada.upload(&expenses, written).await.expect(200);

    let occupied = occupy(&app.store).await;
    let more = "&create_categories=true&dry_run=true";
    let report = ada.upload(&format!("{expenses}{more}"), file.clone()).await.expect(200);
    assert_eq!(report["created"], 1200);
    let report = ada.upload(&format!("{expenses}{more}"), written).await.expect(200);
    assert_eq!((&report["created"], &report["duplicates"]), (&json!(0), &json!(1)));
    let refused = ada.upload(&format!("{expenses}&dry_run=true"), file).await;
    assert_eq!(refused.expect_problem(422, "import_failed")["failed"], 1200);
    let more = "&dry_run=true&on_error=skip";
    let report = ada.upload(&format!("{time}{more}"), sheet).await.expect(200);
    assert_eq!((&report["created"], &report["failed"]), (&json!(1), &json!(1)));
    assert_eq!(report["errors"][0]["code"], "overlap");
    drop(occupied);
    assert!(ada.all(&format!("{company}/projects"), "").await.is_empty());
    app.stop().await;
}
