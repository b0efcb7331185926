use super::{Attachment, AttachmentInput, ParentKind};
use crate::example;

impl AttachmentInput {
    pub(super) fn example() -> Self {
        Self { name: "receipt.pdf".to_owned() }
    }
}

impl Attachment {
    pub(super) fn example() -> Self {
        Self {
            id: example::ATTACHMENT,
            version: 1,
            parent_kind: ParentKind::Expense,
            parent_id: example::EXPENSE,
            name: AttachmentInput::example().name,
            media_type: "application/pdf".to_owned(),
            size: 48_213,
            sha256: "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c".to_owned(),
            created_at: example::at(8),
            updated_at: example::at(8),
        }
    }
}
