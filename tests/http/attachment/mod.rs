//! Files that belong to other resources.

mod content;
mod hidden;
mod quota;
mod stored;
mod upload;

use api::config::{AttachmentSettings, Settings};
use serde_json::{Value, json};
use tests::{App, AppOptions, Client, Database, at};

/// A PDF, as far as its first bytes say.
pub(crate) const PDF: &[u8] = b"%PDF-1.7\nfour lines\n%%EOF\n";

/// An organization with a task that files belong to.
pub(crate) struct Desk {
    pub(crate) ada: Client,
    pub(crate) home: String,
    pub(crate) task: String,
}

impl Desk {
    pub(crate) async fn of(app: &App) -> Self {
        let (ada, home) = app.owner_of("company").await;
        let tasks = format!("{home}/tasks");
        let task = ada.make(&tasks, json!({ "title": "Scan" })).await;
        Self { task: at(&tasks, &task), ada, home }
    }

    /// The only attachment that a file has become.
    pub(crate) async fn attach(&self, name: &str, content: &[u8]) -> Value {
        only(&self.ada.attach(&self.task, name, content).await.expect(201))
    }

    /// The path of an attachment.
    pub(crate) fn path(&self, attachment: &Value) -> String {
        at(&format!("{}/attachments", self.home), attachment)
    }
}

/// steward with other limits of files.
pub(crate) async fn app_with(
    database: &Database,
    set: impl FnOnce(&mut AttachmentSettings),
) -> App {
    let mut settings = Settings::default();
    set(&mut settings.attachments);
    App::start_with(database, AppOptions { settings, ..AppOptions::default() }).await
}

/// The only one of the attachments that were made.
pub(crate) fn only(made: &Value) -> Value {
    let items = made["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{made}");
    items[0].clone()
}
