use chrono::TimeDelta;
use entity::webhook;
use sea_orm::ActiveValue::Set;
use serde_json::json;
use uuid::Uuid;

use super::{IssuedWebhook, RotationInput, Webhook, WebhookInput, message, repository};
use crate::{
    actor::Actor,
    error::Result,
    event::{self, Verb},
    idempotency::WriteOnce,
    input::{Change, Create, TransitionBody},
    resource::{Changeable, Readable, Resource, versioned},
    role::Permission,
    store::{
        Store, Tx, log,
        page::{Page, PageQuery},
        signal::Signal,
        versioned,
        versioned::Expected,
    },
};

versioned!(Webhook, IssuedWebhook: webhook);

impl Resource for Webhook {
    const ENTITY: &'static str = "webhook";
    const READ: Permission = Permission::ManageWebhooks;
    const VERBS: &'static [Verb] = &[
        Verb::Created,
        Verb::Updated,
        Verb::Reverted,
        Verb::SecretRotated,
        Verb::Disabled,
        Verb::Deleted,
    ];
}

impl Readable for Webhook {
    type Query = PageQuery;

    /// The webhook, without its secret.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(store.read(), actor.organization_id, id).await?)
    }

    /// The webhooks, the newest first.
    async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, page).await?;
        page.try_map(Self::try_from)
    }
}

/// No [`crate::resource::Writable`]: who makes one must be shown its secret.
impl Changeable for Webhook {
    type Input = WebhookInput;
    const WRITE: Permission = Permission::ManageWebhooks;

    fn input(&self) -> WebhookInput {
        WebhookInput {
            url: self.url.clone(),
            kinds: self.kinds.clone(),
            description: self.description.clone(),
            enabled: self.enabled,
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::try_from(repository::get(tx, actor.organization_id, id).await?)
    }

    /// One that is enabled again is as good as new: its failures are forgotten.
    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<WebhookInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        let mut next = columns(input.clone());
        if input.enabled {
            next.disabled_reason = Set(None);
        }
        if input.enabled && !row.enabled {
            repository::update_health(tx, (actor.organization_id, id), None, None).await?;
            tx.signal(Signal::Sequenced);
            tx.signal(Signal::Work);
        }
        versioned::update(tx, actor, change.verb(), &row, next, Self::try_from).await
    }
}

fn columns(input: WebhookInput) -> webhook::ActiveModel {
    let WebhookInput { url, kinds, description, enabled } = input;
    webhook::ActiveModel {
        url: Set(url),
        kinds: Set(json!(kinds)),
        description: Set(description),
        enabled: Set(enabled),
        ..Default::default()
    }
}

/// Makes a webhook that follows the log from now on. The secret is in the answer, and nowhere else.
pub async fn create(
    store: WriteOnce<'_, IssuedWebhook>,
    actor: &Actor,
    new: Create<WebhookInput>,
) -> Result<IssuedWebhook> {
    let actor = actor.clone();
    store.write(async move |tx| make(tx, &actor, &new).await).await
}

async fn make(tx: &Tx, actor: &Actor, new: &Create<WebhookInput>) -> Result<IssuedWebhook> {
    let organization_id = actor.organization_id;
    let id = log::new_id::<Webhook>(tx, organization_id, new.id).await?;
    let secret = message::new_secret(tx.random());
    let associated_data = message::secret_at(organization_id, id);
    let now = tx.now().fixed_offset();
    let row = webhook::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(id),
        secret: Set(tx.keyring().seal(tx.random(), &associated_data, secret.as_bytes())?),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(new.input.clone())
    };
    let webhook = versioned::insert(tx, actor, row, Webhook::try_from).await?;
    let head = event::repository::head(tx, organization_id).await?;
    let position = head.map_or(0, |head| head.position);
    repository::begin_at(tx, (organization_id, id), position).await?;
    Ok(IssuedWebhook { secret, webhook })
}

/// Gives a webhook a new secret. The one before signs too for a while, so that receivers can change
/// theirs in between.
pub async fn rotate_secret(
    store: WriteOnce<'_, IssuedWebhook>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<RotationInput>,
) -> Result<IssuedWebhook> {
    let actor = actor.clone();
    store.write(async move |tx| rotate(tx, &actor, id, expected.clone(), &body).await).await
}

async fn rotate(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: &TransitionBody<RotationInput>,
) -> Result<IssuedWebhook> {
    let organization_id = actor.organization_id;
    let row = repository::get(tx, organization_id, id).await?;
    expected.check(row.version, &Webhook::try_from(row.clone())?)?;
    let RotationInput { overlap_hours } = body.input()?;
    let secret = message::new_secret(tx.random());
    let (here, before) =
        (message::secret_at(organization_id, id), message::previous_secret_at(organization_id, id));
    let (ring, random) = (tx.keyring(), tx.random());
    let old = ring.open(&here, &row.secret)?;
    let overlaps = overlap_hours > 0;
    let until = (tx.now() + TimeDelta::hours(overlap_hours)).fixed_offset();
    let next = webhook::ActiveModel {
        secret: Set(ring.seal(random, &here, secret.as_bytes())?),
        previous_secret: Set(overlaps.then(|| ring.seal(random, &before, &old)).transpose()?),
        previous_secret_until: Set(overlaps.then_some(until)),
        ..Default::default()
    };
    let verb = Verb::SecretRotated;
    let webhook = versioned::update(tx, actor, verb, &row, next, Webhook::try_from).await?;
    Ok(IssuedWebhook { secret, webhook })
}

/// Removes a webhook, with its deliveries: by and by ([`crate::purge`]), and nobody finds it any more from now on.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let row = repository::get(tx, actor.organization_id, id).await?;
            let current = Webhook::try_from(row.clone())?;
            expected.check(row.version, &current)?;
            let mark = webhook::ActiveModel {
                enabled: Set(false),
                deleted_at: Set(Some(tx.now().fixed_offset())),
                ..Default::default()
            };
            versioned::mark_deleted(tx, &actor, &row, mark, &current).await
        })
        .await
}
