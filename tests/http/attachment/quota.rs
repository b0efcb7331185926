use serde_json::json;
use tests::{Database, each_database};

use super::{Desk, app_with};

#[each_database]
async fn an_organization_stores_as_much_as_its_quota(database: Database) {
    let app = app_with(&database, |settings| settings.quota = Some(1000)).await;
    let desk = Desk::of(&app).await;
    let first = desk.attach("a.txt", &[b'a'; 600]).await;
    // The same again takes no room.
    desk.attach("b.txt", &[b'a'; 600]).await;
    let full = desk.ada.attach(&desk.task, "c.txt", vec![b'c'; 401]).await;
    full.expect_problem(507, "storage_quota_exceeded");
    let second = desk.attach("d.txt", &[b'd'; 400]).await;
    desk.ada.attach(&desk.task, "e.txt", "e").await.expect_problem(507, "storage_quota_exceeded");
    // Another organization has its own.
    Desk::of(&app).await.attach("a.txt", &[b'a'; 1000]).await;
    desk.ada.delete(&format!("{}?version=1", desk.path(&first))).await.expect(204);
    desk.ada.attach(&desk.task, "e.txt", "e").await.expect_problem(507, "storage_quota_exceeded");
    desk.ada.delete(&format!("{}?version=1", desk.path(&second))).await.expect(204);
    desk.attach("f.txt", &[b'f'; 400]).await;
    let listed = desk.ada.all(&format!("{}/attachments", desk.task), "").await;
    let names: Vec<_> = listed.iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, [json!("b.txt"), json!("f.txt")]);
}

#[each_database]
async fn many_at_once_do_not_store_more_than_the_quota(database: Database) {
    let app = app_with(&database, |settings| settings.quota = Some(500)).await;
    let desk = Desk::of(&app).await;
    let uploads =
        (0..10_u8).map(|index| desk.ada.attach(&desk.task, "a.bin", vec![index + 1; 100]));
    let answers = futures_util::future::join_all(uploads).await;
    let stored = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(answers.iter().all(|it| [201, 507, 503].contains(&it.status.as_u16())), "{answers:?}");
    let listed = desk.ada.all(&format!("{}/attachments", desk.task), "").await.len();
    assert_eq!(listed, stored);
    assert!((1..=5).contains(&stored), "{stored} of 100 bytes each");
}
