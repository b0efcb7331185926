use serde_json::json;
use tests::{App, Database, each_database};

use super::{Desk, PDF};

#[each_database]
async fn the_content_comes_back_whole_and_in_ranges(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let content: Vec<u8> = (0..200_000_u32).map(|index| (index % 251) as u8).collect();
    let made = desk.attach("data.bin", &content).await;
    let path = format!("{}/content", desk.path(&made));
    let (status, headers, body) = desk.ada.get_bytes(&path, &[]).await;
    assert_eq!((status.as_u16(), &body), (200, &content));
    let tag = format!("\"{}\"", made["sha256"].as_str().unwrap());
    assert_eq!(headers["etag"], *tag);
    assert_eq!(headers["accept-ranges"], "bytes");
    assert_eq!(headers["content-length"], "200000");
    for (asked, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=65535-65536", 65_535, 65_537),
        ("bytes=199990-", 199_990, 200_000),
        ("bytes=-10", 199_990, 200_000),
    ] {
        let (status, headers, body) = desk.ada.get_bytes(&path, &[("range", asked)]).await;
        assert_eq!((status.as_u16(), &*body), (206, &content[from..to]), "{asked}");
        assert_eq!(headers["content-range"], format!("bytes {from}-{}/200000", to - 1));
    }
    let (status, headers, _) = desk.ada.get_bytes(&path, &[("range", "bytes=200000-")]).await;
    assert_eq!(
        (status.as_u16(), &headers["content-range"]),
        (416, &"bytes */200000".parse().unwrap())
    );
    let range = ("range", "bytes=0-9");
    let (status, _, body) = desk.ada.get_bytes(&path, &[range, ("if-range", &tag)]).await;
    assert_eq!((status.as_u16(), body.len()), (206, 10));
    let (status, _, body) = desk.ada.get_bytes(&path, &[range, ("if-range", "\"other\"")]).await;
    assert_eq!((status.as_u16(), body.len()), (200, 200_000));
    let (status, headers, body) =
        desk.ada.get_bytes(&path, &[range, ("if-none-match", &tag)]).await;
    assert_eq!((status.as_u16(), body.len(), &headers["etag"]), (304, 0, &tag.parse().unwrap()));
}

#[each_database]
async fn a_browser_runs_nothing_that_somebody_has_uploaded(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let page: &[u8] = b"<!DOCTYPE html><html><script>alert(1)</script></html>";
    let image: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    for (name, content, media_type, shown) in [
        ("page.png", page, "text/html", "attachment"),
        ("image.png", image, "image/svg+xml", "attachment"),
        ("plain.html", b"just text" as &[u8], "text/plain; charset=utf-8", "inline"),
        ("scan.exe", PDF, "application/pdf", "inline"),
    ] {
        let made = desk.attach(name, content).await;
        let (_, headers, body) =
            desk.ada.get_bytes(&format!("{}/content", desk.path(&made)), &[]).await;
        assert_eq!((&headers["content-type"], &*body), (&media_type.parse().unwrap(), content));
        let disposition = headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with(&format!("{shown};")), "{name}: {disposition}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    }
}

#[each_database]
async fn a_name_is_given_to_old_clients_and_to_new_ones(database: Database) {
    let app = App::start(&database).await;
    let desk = Desk::of(&app).await;
    let made = desk.attach("x.pdf", PDF).await;
    let name = "Quittung \"Mai\" №1; a=b.pdf";
    desk.ada.patch(&desk.path(&made), json!({ "version": 1, "name": name })).await.expect(200);
    let (_, headers, _) = desk.ada.get_bytes(&format!("{}/content", desk.path(&made)), &[]).await;
    let disposition = headers["content-disposition"].to_str().unwrap();
    assert!(disposition.contains("filename=\"Quittung _Mai_ _1; a=b.pdf\""), "{disposition}");
    let encoded = "filename*=UTF-8''Quittung%20%22Mai%22%20%E2%84%961%3B%20a%3Db.pdf";
    assert!(disposition.contains(encoded), "{disposition}");
}
