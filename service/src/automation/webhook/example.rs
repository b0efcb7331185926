use super::{IssuedWebhook, Webhook, WebhookInput};
use crate::example;

impl WebhookInput {
    pub(super) fn example() -> Self {
        Self {
            url: "https://example.com/steward".to_owned(),
            kinds: vec!["expense.*".to_owned(), "task.created".to_owned()],
            description: example::some("Bookkeeping"),
            enabled: true,
        }
    }
}

impl Webhook {
    pub(super) fn example() -> Self {
        let WebhookInput { url, kinds, description, enabled } = WebhookInput::example();
        Self {
            id: example::WEBHOOK,
            version: 1,
            url,
            kinds,
            description,
            enabled,
            disabled_reason: None,
            previous_secret_until: None,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

impl IssuedWebhook {
    pub(super) fn example() -> Self {
        Self { secret: "whsec_EXAMPLE".to_owned(), webhook: Webhook::example() }
    }
}
