//! Configurations as they hold for a member: those of the organization, and in their place the member's own.
//!
//! The id of a document says whose it is: `organization:KEY`, or `member:MEMBER_ID:KEY`. So each key has one value for
//! each, and both are read in the order of their keys, side by side.

use std::collections::BTreeMap;

use entity::{document, member};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{Document, repository};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        outbox, schema,
    },
    error::{Error, Result},
    store::{Store, page::DEFAULT_LIMIT, versioned},
};

/// Where the template of configurations has its secret.
const SECRET: &str = "/secret";

/// Whose configurations to return, and which of them.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EffectiveConfigurationQuery {
    /// Identifier of the member. Defaults to the member who asks.
    pub member: Option<Uuid>,
    /// Return keys after this one: `next_after` of the previous response. Omit it to start with the first key. At most
    /// 512 characters.
    #[validate(length(max = 512))]
    pub after: Option<String>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
}

/// Configurations as they hold for a member, ordered by the bytes of their keys.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EffectiveConfigurations {
    /// Configurations.
    pub items: Vec<EffectiveConfiguration>,
    /// Key to pass as `after` for the next configurations; null after the last one.
    pub next_after: Option<String>,
}

/// Whose a configuration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigurationScope {
    /// The organization's: the member has none of this key.
    Organization,
    /// The member's own.
    Member,
}

/// Configuration as it holds for a member.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EffectiveConfiguration {
    /// Key of the configuration: the end of the identifier of the document.
    pub key: String,
    /// Whose it is.
    pub scope: ConfigurationScope,
    /// Identifier of the document.
    pub document_id: String,
    /// Version of the document.
    pub version: i64,
    /// `value` of the document. Omitted if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub value: Option<Value>,
    /// `secret` of the document, decrypted. Omitted if it has none, and for roles below the `write_role` of the
    /// collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub secret: Option<String>,
}

/// The configurations of a collection that hold for a member.
pub async fn effective(
    store: &Store,
    actor: &Actor,
    collection: &str,
    query: &EffectiveConfigurationQuery,
) -> Result<EffectiveConfigurations> {
    let connection = store.read();
    let collection = collection::readable(connection, actor, collection).await?;
    let member_id = query.member.or(actor.member_id);
    if let Some(id) = query.member {
        require_member(connection, actor.organization_id, id).await?;
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let scopes = [
        Some((ConfigurationScope::Organization, "organization:".to_owned())),
        member_id.map(|id| (ConfigurationScope::Member, format!("member:{id}:"))),
    ];
    let mut found = BTreeMap::new();
    for (scope, prefix) in scopes.into_iter().flatten() {
        let after = query.after.as_deref().unwrap_or_default();
        let within = (actor.organization_id, collection.id);
        // One more than are returned, so that it is known whether there are more.
        let rows = repository::after(connection, within, (&prefix, after), limit + 1).await?;
        let rows = outbox::fill(store, rows).await?.into_iter().filter_map(|row| {
            let key = row.key.strip_prefix(&prefix)?.to_owned();
            Some((key, (scope, row)))
        });
        found.extend(rows);
    }
    let more = found.len() as u64 > limit;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let items: Vec<_> = found
        .into_iter()
        .take(shown)
        .map(|(key, (scope, row))| show(store, actor, &collection, key, scope, row))
        .collect::<Result<_>>()?;
    let next_after = items.last().map(|item| item.key.clone()).filter(|_| more);
    Ok(EffectiveConfigurations { items, next_after })
}

async fn require_member(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<()> {
    match versioned::find::<member::Entity>(connection, organization_id, id).await? {
        Some(_) => Ok(()),
        None => {
            Err(Error::invalid("?member", "unknown", "must identify a member of the organization"))
        }
    }
}

fn show(
    store: &Store,
    actor: &Actor,
    collection: &Collection,
    key: String,
    scope: ConfigurationScope,
    row: document::Model,
) -> Result<EffectiveConfiguration> {
    let place = (row.organization_id, row.id);
    let sealed = row.secrets.as_deref().filter(|_| collection.is_writable(actor));
    let secrets = sealed.map(|sealed| schema::open(store.keyring(), place, sealed)).transpose()?;
    let secret = secrets.and_then(|mut secrets| secrets.remove(SECRET));
    let mut document = Document::of(collection, row)?;
    Ok(EffectiveConfiguration {
        key,
        scope,
        document_id: document.id,
        version: document.version,
        value: document.body.0.shift_remove("value"),
        secret,
    })
}
