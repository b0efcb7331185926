//! What is sent, and how it is signed: Standard Webhooks, version 1.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use entity::{webhook, webhook_delivery};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use super::rules;
use crate::{
    actor::Actor,
    catalogue,
    error::{Error, Result},
    event::Event,
    random::Random,
    seal::{AssociatedData, Keyring, WEBHOOK_PREVIOUS_SECRET, WEBHOOK_SECRET},
};

/// In front of a secret.
const PREFIX: &str = "whsec_";
/// What a test is called where events have their kind.
pub(super) const TEST: &str = "webhook.test";

/// A secret as Standard Webhooks writes it.
pub(super) fn new_secret(random: &Random) -> String {
    format!("{PREFIX}{}", STANDARD.encode(random.bytes::<32>()))
}

/// Where a webhook's secret is kept.
pub(super) fn secret_at(organization_id: Uuid, id: Uuid) -> AssociatedData {
    WEBHOOK_SECRET.at(organization_id, id)
}

/// Where the one before is kept.
pub(super) fn previous_secret_at(organization_id: Uuid, id: Uuid) -> AssociatedData {
    WEBHOOK_PREVIOUS_SECRET.at(organization_id, id)
}

/// The keys that sign now: the secret's, and the one of the secret before while its time lasts.
pub(super) fn keys(keyring: &Keyring, row: &webhook::Model, now: DateTime<Utc>) -> Result<Keys> {
    let (organization_id, id) = (row.organization_id, row.id);
    let mut keys = vec![key(&keyring.open(&secret_at(organization_id, id), &row.secret)?)?];
    if let (Some(sealed), Some(until)) = (&row.previous_secret, row.previous_secret_until)
        && until.to_utc() > now
    {
        keys.push(key(&keyring.open(&previous_secret_at(organization_id, id), sealed)?)?);
    }
    Ok(Keys(keys))
}

fn key(secret: &[u8]) -> Result<Vec<u8>> {
    let encoded = secret.strip_prefix(PREFIX.as_bytes());
    encoded
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .ok_or_else(|| Error::Internal("the secret of a webhook is none".into()))
}

/// What messages are signed with. It does not show itself.
pub(super) struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// The headers of a message.
    pub(super) fn headers(
        &self,
        id: Uuid,
        at: DateTime<Utc>,
        body: &[u8],
    ) -> Result<Vec<(&'static str, String)>> {
        let timestamp = at.timestamp();
        let signatures: Result<Vec<String>> = self
            .0
            .iter()
            .map(|key| {
                let mut mac = Hmac::<Sha256>::new_from_slice(key)
                    .map_err(|_| Error::Internal("a key signs nothing".into()))?;
                mac.update(format!("{id}.{timestamp}.").as_bytes());
                mac.update(body);
                Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
            })
            .collect();
        Ok(vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id.to_string()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signatures?.join(" ")),
        ])
    }
}

/// What identifies a message, however often and wherever it is sent: the event's id.
pub(super) fn id(delivery: &webhook_delivery::Model) -> Uuid {
    delivery.event_id.unwrap_or(delivery.id)
}

/// The message of an event, as `actor` may see it; nothing of what is sealed leaves steward by this way.
pub(super) fn of_event(actor: &Actor, event: Event) -> Value {
    let event = match catalogue::resource(&event.entity) {
        Some(resource) => event.redacted_for(actor, resource),
        None => event,
    };
    json!({ "type": event.kind, "timestamp": event.at, "data": event })
}

/// The message of a test.
pub(super) fn of_test(delivery: &webhook_delivery::Model) -> Value {
    json!({ "type": TEST, "timestamp": delivery.created_at.to_utc(), "data": {
        "webhook_id": delivery.webhook_id,
        "delivery_id": delivery.id,
    }})
}

/// steward in an organization, seeing what a webhook gets.
pub(super) fn webhook_viewer(system: Actor) -> Actor {
    Actor { role: rules::VIEWER_ROLE, ..system }
}
