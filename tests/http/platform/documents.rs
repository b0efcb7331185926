//! The documents in the repository that are made from the code, or tell of it.

use std::{fs, path::PathBuf};

use service::{
    catalogue::RESOURCES,
    role::{HIDDEN, PERMISSIONS, Permission, Role},
};
use tests::{App, Database, each_database, route};

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_committed_openapi_document_is_the_one_of_the_code() {
    let committed: serde_json::Value = serde_json::from_str(&read("openapi.json")).unwrap();
    assert_eq!(&committed, route::document(), "`just openapi` writes docs/openapi.json");
}

#[each_database]
async fn the_openapi_document_is_shown(database: Database) {
    let app = App::start(&database).await;
    let stranger = app.anonymous();
    let page = stranger.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    let script = stranger.get("/docs/swagger-initializer.js").await;
    assert!(script.text.contains(r#""url": "/openapi.json""#), "{}", script.text);
    app.stop().await;
}

#[test]
fn the_table_of_roles_is_the_one_of_the_code() {
    let page = read("roles.md");
    let rows: Vec<String> = PERMISSIONS
        .iter()
        .map(|(_, name, role, what)| format!("| `{name}` | `{}` | {what} |", role.as_str()))
        .collect();
    let written: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(written, rows);
    let hides = |(permission, what): &(Permission, &str)| {
        format!("- `{}` hides each {what}", permission.name())
    };
    let hidden: Vec<String> = HIDDEN.iter().map(hides).collect();
    let written: Vec<&str> = page.lines().filter(|line| line.contains("` hides each ")).collect();
    assert_eq!(written, hidden);
    for role in Role::ALL {
        assert!(page.contains(&format!("`{}`", role.as_str())), "{role:?}");
    }
}

/// A part of a page, by its heading.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    rest.split("\n## ").next().unwrap_or_default()
}

#[test]
fn the_catalogue_of_events_is_the_one_of_the_code() {
    let page = read("events.md");
    let rows: Vec<String> = RESOURCES
        .iter()
        .flat_map(|entity| entity.verbs.iter().map(move |verb| (entity, verb)))
        .map(|(entity, verb)| {
            let (name, word, what) = (entity.entity, verb.as_str(), verb.meaning());
            format!("| `{name}.{word}` | `{}` | {what} |", entity.read.name())
        })
        .collect();
    let catalogue = section(&page, "The catalogue").lines();
    let written: Vec<&str> = catalogue.filter(|line| line.starts_with("| `")).collect();
    assert_eq!(written, rows, "the whole table:\n{}\n", rows.join("\n"));
}
