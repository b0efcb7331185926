use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::{App, Client, Database, at, each_database, id};

use super::{Desk, PDF, app_with, only};

#[each_database]
async fn a_file_is_what_it_is_and_not_what_it_is_called(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let made = desk.attach("../../holiday.jpg", PDF).await;
    let sha256: String = Sha256::digest(PDF).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (&made["name"], &made["media_type"]),
        (&json!("holiday.jpg"), &json!("application/pdf"))
    );
    assert_eq!((&made["size"], &made["sha256"]), (&json!(PDF.len()), &json!(sha256)));
    assert_eq!((&made["parent_kind"], &made["version"]), (&json!("task"), &json!(1)));
    assert_eq!(desk.ada.read(&desk.path(&made)).await, made);
    let listed = desk.ada.all(&format!("{}/attachments", desk.task), "").await;
    assert_eq!(listed, [made]);
}

fn form(files: &[(&str, &[u8])], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in files {
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: image/gif\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

async fn send_form(
    client: &Client,
    path: &str,
    files: &[(&str, &[u8])],
    boundary: &str,
) -> tests::Answer {
    let media_type = format!("multipart/form-data; boundary={boundary}");
    let body = Some(form(files, boundary));
    client.send_bytes(Method::POST, path, &media_type, body, &[]).await
}

#[each_database]
async fn several_files_are_added_at_once_or_none(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let path = format!("{}/attachments", desk.task);
    let files: &[(&str, &[u8])] = &[("a.txt", b"one"), ("b.pdf", PDF)];
    let made = send_form(&desk.ada, &path, files, "first").await.expect(201);
    let names: Vec<&Value> =
        made["items"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["a.txt", "b.pdf"]);
    let empty: &[(&str, &[u8])] = &[("c.txt", b"three"), ("d.txt", b"")];
    let refused = send_form(&desk.ada, &path, empty, "first").await;
    assert_eq!(refused.expect_problem(422, "invalid")["violations"][0]["code"], "empty");
    assert_eq!(desk.ada.all(&path, "").await.len(), 2);
    let none = send_form(&desk.ada, &path, &[], "first").await;
    assert_eq!(none.expect_problem(422, "invalid")["violations"][0]["code"], "required");
    let torn = form(files, "first");
    let media_type = "multipart/form-data; boundary=first";
    let torn = Some(torn[..torn.len() - 20].to_vec());
    let torn = desk.ada.send_bytes(Method::POST, &path, media_type, torn, &[]).await;
    torn.expect_problem(400, "bad_request");
    assert_eq!(desk.ada.all(&path, "").await.len(), 2);
}

#[each_database]
async fn a_file_is_added_once_for_each_key_whatever_separates_it(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let path = format!("{}/attachments", desk.task);
    let keyed = desk.ada.keyed("upload-1");
    let files: &[(&str, &[u8])] = &[("a.txt", b"one")];
    let first = send_form(&keyed, &path, files, "first").await;
    let again = send_form(&keyed, &path, files, "second").await;
    assert_eq!(first.text, again.text);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other: &[(&str, &[u8])] = &[("a.txt", b"two")];
    let other = send_form(&keyed, &path, other, "first").await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(desk.ada.all(&path, "").await.len(), 1);
}

#[each_database]
async fn what_is_too_large_or_of_no_type_that_is_taken_is_refused(database: Database) {
    let types = "text/*,application/pdf".parse().unwrap();
    let app =
        app_with(&database, |settings| (settings.max_size, settings.types) = (100, types)).await;
    let desk = Desk::of(&app).await;
    desk.attach("note.txt", &[b'x'; 100]).await;
    let large = desk.ada.attach(&desk.task, "note.txt", vec![b'x'; 101]).await;
    large.expect_problem(413, "too_large");
    let other =
        desk.ada.attach(&desk.task, "note.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()).await;
    let other = other.expect_problem(415, "unsupported_media_type");
    assert!(other["detail"].as_str().unwrap().contains("image/png"), "{other}");
    assert_eq!(desk.ada.all(&format!("{}/attachments", desk.task), "").await.len(), 1);
}

#[each_database]
async fn everything_that_has_files_takes_them_from_those_who_may_change_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let (viewer, member) = (ada.invite(&home, "viewer").await, ada.invite(&home, "member").await);
    let make = async |collection: &str, new: Value| {
        let collection = format!("{home}/{collection}");
        at(&collection, &ada.make(&collection, new).await)
    };
    let grace = make("members", json!({ "name": "Grace" })).await;
    let grace_id = ada.read(&grace).await["id"].clone();
    let project = make("projects", json!({ "name": "Roof" })).await;
    let project_id = ada.read(&project).await["id"].clone();
    let bank =
        ada.make(&format!("{home}/accounts"), json!({ "name": "Bank", "kind": "asset" })).await;
    let cost =
        ada.make(&format!("{home}/accounts"), json!({ "name": "Cost", "kind": "expense" })).await;
    let transfers = json!([{ "debit_account_id": id(&cost), "credit_account_id": id(&bank),
        "amount_minor": 5, "currency": "EUR" }]);
    let parents = [
        ("task", true, make("tasks", json!({ "title": "Scan" })).await),
        ("project", false, project),
        (
            "daily_report",
            true,
            make("daily-reports", json!({ "project_id": project_id, "day": "2026-11-02" })).await,
        ),
        (
            "expense",
            false,
            make("expenses", json!({ "spent_on": "2026-11-02", "amount_minor": 5 })).await,
        ),
        (
            "incident",
            false,
            make(
                "incidents",
                json!({ "member_id": grace_id, "occurred_at": "2026-11-02T08:00:00Z" }),
            )
            .await,
        ),
        (
            "journal_entry",
            false,
            make("journal-entries", json!({ "occurred_on": "2026-11-02", "transfers": transfers }))
                .await,
        ),
        ("member", false, grace),
    ];
    for (kind, by_member, path) in parents {
        let made = only(&ada.attach(&path, "file.pdf", PDF).await.expect(201));
        assert_eq!(
            (&made["parent_kind"], &made["parent_id"]),
            (&json!(kind), &json!(path.rsplit('/').next().unwrap()))
        );
        let refused = viewer.attach(&path, "file.pdf", PDF).await;
        assert!([403, 404].contains(&refused.status.as_u16()), "{kind}: {}", refused.text);
        let tried = member.attach(&path, "file.pdf", PDF).await;
        assert_eq!(tried.status == 201, by_member, "{kind}: {}", tried.text);
        let missing =
            path.replace(path.rsplit('/').next().unwrap(), &uuid::Uuid::nil().to_string());
        ada.attach(&missing, "file.pdf", PDF).await.expect_problem(404, "not_found");
        ada.get(&format!("{missing}/attachments")).await.expect_problem(404, "not_found");
    }
}

#[each_database]
async fn a_file_is_renamed_reverted_and_removed_against_its_version(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let made = desk.attach("scan.pdf", PDF).await;
    let path = desk.path(&made);
    let renamed =
        desk.ada.patch(&path, json!({ "version": 1, "name": "Rent, May.pdf" })).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["version"]), (&json!("Rent, May.pdf"), &json!(2)));
    for bad in ["", "a/b", "..", "a\u{202e}b"] {
        let refused = desk.ada.patch(&path, json!({ "version": 2, "name": bad })).await;
        assert_eq!(refused.expect_problem(422, "invalid")["violations"][0]["pointer"], "/name");
    }
    let stale = desk.ada.patch(&path, json!({ "version": 1, "name": "x" })).await;
    assert_eq!(stale.expect_problem(409, "version_conflict")["current"], renamed);
    let reverted =
        desk.ada.post(&format!("{path}/revert"), json!({ "version": 2, "to_version": 1 })).await;
    assert_eq!(reverted.expect(200)["name"], "scan.pdf");
    desk.ada.delete(&format!("{path}?version=1")).await.expect_problem(409, "version_conflict");
    desk.ada.delete(&format!("{path}?version=3")).await.expect(204);
    desk.ada.get(&path).await.expect_problem(404, "not_found");
    desk.ada.get(&format!("{path}/content")).await.expect_problem(404, "not_found");
    let kinds: Vec<Value> = desk
        .ada
        .all(&format!("{path}/history"), "")
        .await
        .iter()
        .map(|event| event["kind"].clone())
        .collect();
    assert_eq!(
        kinds,
        ["attachment.deleted", "attachment.reverted", "attachment.updated", "attachment.created"]
    );
}

#[each_database]
async fn a_decided_expense_takes_receipts_and_keeps_those_that_it_has(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let clerk = ada.invite(&home, "manager").await;
    let expenses = format!("{home}/expenses");
    let expense =
        clerk.make(&expenses, json!({ "spent_on": "2026-11-02", "amount_minor": 5 })).await;
    let path = at(&expenses, &expense);
    let receipt = only(&clerk.attach(&path, "receipt.pdf", PDF).await.expect(201));
    clerk.post(&format!("{path}/submit"), json!({ "version": 1 })).await.expect(200);
    let file = at(&format!("{home}/attachments"), &receipt);
    clerk.delete(&format!("{file}?version=1")).await.expect_problem(409, "wrong_status");
    clerk.attach(&path, "late.pdf", PDF).await.expect(201);
}
