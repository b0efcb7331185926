//! What is stored, and for how long.

use futures_util::TryStreamExt;
use serde_json::json;
use service::{
    attachment::verify::verify,
    objects::{Objects, ObjectsUrl},
    store::Options,
};
use tests::{App, AppOptions, Database, at, each_database, keyring};

use super::{Desk, PDF};

async fn objects(app: &App) -> usize {
    let listed = app.store.objects().unwrap().list("").unwrap().try_collect::<Vec<_>>().await;
    listed.unwrap().len()
}

#[each_database]
async fn the_same_content_is_stored_once_and_as_long_as_something_has_it(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let (first, second) = (desk.attach("a.pdf", PDF).await, desk.attach("b.pdf", PDF).await);
    app.run_until_idle().await;
    assert_eq!(objects(&app).await, 1);
    desk.ada.delete(&format!("{}?version=1", desk.path(&first))).await.expect(204);
    app.run_until_idle().await;
    let content = format!("{}/content", desk.path(&second));
    assert_eq!(desk.ada.get_bytes(&content, &[]).await.2, PDF);
    desk.ada.delete(&format!("{}?version=1", desk.path(&second))).await.expect(204);
    app.run_until_idle().await;
    assert_eq!(objects(&app).await, 0);
    // What was there before may come again.
    let third = desk.attach("c.pdf", PDF).await;
    app.run_until_idle().await;
    assert_eq!(desk.ada.get_bytes(&format!("{}/content", desk.path(&third)), &[]).await.2, PDF);
    let found = verify(&app.store, false).await.unwrap();
    assert_eq!((found.objects, found.faults), (1, Vec::<String>::new()));
}

#[each_database]
async fn files_go_with_what_they_belong_to_and_with_the_organization(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let file = desk.attach("a.pdf", PDF).await;
    let project =
        desk.ada.make(&format!("{}/projects", desk.home), json!({ "name": "Roof" })).await;
    let project = at(&format!("{}/projects", desk.home), &project);
    desk.ada.attach(&project, "plan.txt", "a plan").await.expect(201);
    desk.ada.delete(&format!("{}?version=1", desk.task)).await.expect(204);
    desk.ada.get(&desk.path(&file)).await.expect_problem(404, "not_found");
    app.run_until_idle().await;
    assert_eq!(objects(&app).await, 1);
    let events = desk.ada.all(&format!("{}/events", desk.home), "").await;
    assert!(events.iter().any(|event| event["kind"] == "attachment.deleted"));
    desk.ada.delete(&format!("{}?version=1", desk.home)).await.expect(204);
    app.run_until_idle().await;
    assert_eq!(objects(&app).await, 0);
}

#[each_database]
async fn verify_tells_what_is_gone_changed_or_of_no_row(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = ObjectsUrl::Folder(folder.path().join("objects"));
    let objects = Some(Objects::at(&url).unwrap());
    let store = Options { keyring: keyring(), objects, ..Options::default() };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let desk = Desk::of(&app).await;
    for content in ["one", "two", "three"] {
        desk.attach("a.txt", content.as_bytes()).await;
    }
    let sound = verify(&app.store, false).await.unwrap();
    assert_eq!((sound.objects, &*sound.faults), (3, &[] as &[String]));
    let listed: Vec<_> =
        app.store.objects().unwrap().list("").unwrap().try_collect().await.unwrap();
    let place = |index: usize| folder.path().join("objects").join(listed[index].name.as_str());
    std::fs::remove_file(place(0)).unwrap();
    let size = listed[1].size as usize;
    std::fs::write(place(1), vec![b'x'; size]).unwrap();
    // As an upload leaves it that was killed, two hours ago.
    let old = std::time::SystemTime::from(app.store.now() - chrono::TimeDelta::hours(2));
    for orphan in ["tmp/11111111111111111111111111111111", "tmp/22222222222222222222222222222222#1"]
    {
        let orphan = folder.path().join("objects").join(orphan);
        std::fs::write(&orphan, "half").unwrap();
        std::fs::File::options().write(true).open(&orphan).unwrap().set_modified(old).unwrap();
    }
    let young = folder.path().join("objects/tmp/33333333333333333333333333333333");
    std::fs::write(&young, "under way").unwrap();
    let found = verify(&app.store, false).await.unwrap();
    assert_eq!((found.objects, found.orphans, found.removed), (1, 2, 0));
    let faults = found.faults.join("\n");
    for fault in ["is not there", "was changed", "is of no row", "did not end"] {
        assert!(faults.contains(fault), "{fault} is not in\n{faults}");
    }
    let repaired = verify(&app.store, true).await.unwrap();
    assert_eq!((repaired.orphans, repaired.removed, repaired.faults.len()), (2, 2, 2));
    assert_eq!(verify(&app.store, false).await.unwrap().orphans, 0);
    assert!(young.exists());
}

#[each_database]
async fn without_a_place_for_files_none_is_taken(database: Database) {
    let store = Options { keyring: keyring(), ..Options::default() };
    let app = App::start_with(&database, AppOptions { store, ..AppOptions::default() }).await;
    let desk = Desk::of(&app).await;
    let refused = desk.ada.attach(&desk.task, "a.txt", "one").await;
    let refused = refused.expect_problem(503, "objects_not_configured");
    assert!(refused["detail"].as_str().unwrap().contains("STEWARD_OBJECTS_URL"));
}
