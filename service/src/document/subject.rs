//! What revisions, attachments and intents are of: a document by all that names it.

use uuid::Uuid;

/// A document, there or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The organization.
    pub(crate) organization_id: Uuid,
    /// The collection.
    pub(crate) collection_id: Uuid,
    /// The document in the log (a UUID that follows from the collection and the key).
    pub(crate) id: Uuid,
    /// What clients call it.
    pub(crate) key: &'a str,
}
