//! What belongs to an incident is for those who manage incidents, and sealed.

use futures_util::TryStreamExt;
use serde_json::Value;
use tests::{App, Database, at, each_database, id};

use super::{PDF, only};
use crate::work::incident::Site;

#[each_database]
async fn a_file_of_an_incident_is_shown_to_nobody_else(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let incident = site.ada.make(&site.incidents, site.report()).await;
    let path = at(&site.incidents, &incident);
    let made = only(&site.ada.attach(&path, "x-ray.pdf", PDF).await.expect(201));
    app.run_until_idle().await;
    let file = at(&format!("{}/attachments", site.home), &made);
    let admin = site.ada.invite(&site.home, "admin").await;
    for sees in [&site.ada, &admin] {
        assert_eq!(sees.get_bytes(&format!("{file}/content"), &[]).await.2, PDF);
        assert_eq!(sees.all(&format!("{path}/attachments"), "").await.len(), 1);
        assert_eq!(sees.all(&format!("{file}/history"), "").await.len(), 1);
        assert!(
            kinds(&sees.read(&format!("{}/changes", site.home)).await)
                .contains(&"attachment".into())
        );
    }
    for role in ["manager", "member", "viewer"] {
        let other = site.ada.invite(&site.home, role).await;
        for hidden in ["", "/content", "/history"] {
            let answer = other.get(&format!("{file}{hidden}")).await;
            assert_eq!(answer.status, 404, "{role} {hidden}: {}", answer.text);
        }
        other.get(&format!("{path}/attachments")).await.expect_problem(404, "not_found");
        let patch = serde_json::json!({ "version": 1, "name": "y.pdf" });
        let refused = other.patch(&file, patch).await;
        assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
        let seen = [
            other.read(&format!("{}/changes", site.home)).await.to_string(),
            other.read(&format!("{}/events?limit=500", site.home)).await.to_string(),
        ];
        for text in seen {
            assert!(!text.contains(id(&made)) && !text.contains("x-ray"), "{role}: {text}");
        }
    }
    let gone = format!("{path}?version=1");
    site.ada.delete(&gone).await.expect(204);
    admin.get(&file).await.expect_problem(404, "not_found");
}

fn kinds(changes: &Value) -> Vec<String> {
    let items = changes["items"].as_array().unwrap().iter();
    items.map(|item| item["entity"].as_str().unwrap().to_owned()).collect()
}

#[each_database]
async fn what_is_stored_of_it_is_sealed_and_of_others_is_not(database: Database) {
    let app = App::start(&database).await;
    let site = Site::of(&app).await;
    let incident = site.ada.make(&site.incidents, site.report()).await;
    let parents =
        [at(&site.incidents, &incident), at(&format!("{}/members", site.home), &site.grace)];
    let secret = b"a canary in the mine ".repeat(10_000);
    for parent in &parents {
        let made = only(&site.ada.attach(parent, "a.txt", secret.clone()).await.expect(201));
        let path = format!("{}/content", at(&format!("{}/attachments", site.home), &made));
        let (_, _, body) = site.ada.get_bytes(&path, &[("range", "bytes=100000-100020")]).await;
        assert_eq!(body, secret[100_000..100_021]);
    }
    let objects = app.store.objects().unwrap();
    let listed: Vec<_> = objects.list("").unwrap().try_collect().await.unwrap();
    assert_eq!(listed.len(), 2, "the same content, sealed and not: {listed:?}");
    let mut readable = 0;
    for object in listed {
        let bytes = objects.get(&object.name, 0..object.size).await.unwrap();
        let bytes = bytes.try_collect::<Vec<_>>().await.unwrap().concat();
        readable += usize::from(bytes.windows(6).any(|some| some == b"canary"));
    }
    assert_eq!(readable, 1);
}
