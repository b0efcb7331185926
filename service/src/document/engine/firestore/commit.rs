//! What a write sends: the document, if it is still as it was read; its place among the changes, if nobody else of the
//! collection has taken it; and the parts of a large body.

use serde_json::{Value, json};

use super::{
    super::{Entry, Stored},
    address::Names,
    document::{Kept, fields, integer, parts, text},
};

/// A document that is to be kept, and what was read before.
pub(super) struct Change<'a> {
    pub(super) stored: &'a Stored,
    pub(super) entries: &'a [Entry],
    pub(super) current: Option<&'a Kept>,
    /// The last position of the collection, and the time of its document.
    pub(super) head: Option<&'a (u64, String)>,
}

/// The request for a commit, all of which is done or nothing.
pub(super) fn request(names: &Names, change: &Change<'_>) -> Value {
    let Change { stored, entries, current, head } = change;
    let position = head.map_or(0, |(position, _)| *position) + 1;
    let document = names.document(&stored.key);
    let mut writes = vec![
        json!({
            "update": { "name": document, "fields": fields(stored, entries, position) },
            "currentDocument": precondition(current.map(|current| &*current.update_time)),
        }),
        json!({
            "update": { "name": names.head(), "fields": { "position": integer(position) } },
            "currentDocument": precondition(head.map(|(_, time)| time.as_str())),
        }),
    ];
    for (number, part) in parts(stored.body.as_deref()).into_iter().enumerate() {
        let name = names.part(stored.write_id, number);
        writes.push(json!({ "update": { "name": name, "fields": { "text": text(part) } } }));
    }
    if let Some(current) = current {
        let before = (0..current.parts).map(|number| names.part(current.stored.write_id, number));
        writes.extend(before.map(|name| json!({ "delete": name })));
    }
    json!({ "writes": writes })
}

/// That a document is as it was when it was read.
fn precondition(update_time: Option<&str>) -> Value {
    match update_time {
        None => json!({ "exists": false }),
        Some(time) => json!({ "updateTime": time }),
    }
}
