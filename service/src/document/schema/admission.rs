//! What a schema makes of a body that is to be kept: checked, and its secrets sealed apart.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Schema, Secrets,
    cache::{Declared, compiled},
};
use crate::{
    error::{Error, Result},
    seal::{DOCUMENT_SECRETS, Keyring},
    store::Tx,
};

/// What is kept of a body.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The body, with masks for its secrets.
    pub(crate) body: Map<String, Value>,
    /// The secrets, sealed, if there are any.
    pub(crate) secrets: Option<String>,
}

/// The schema that a collection has.
///
/// # Errors
/// [`Error::State`] where it is none: it was written before schemas were read.
fn of_collection(declared: Option<Declared<'_>>) -> Result<Option<Arc<Schema>>> {
    match declared.map(compiled).transpose() {
        Err(Error::Invalid(_)) => {
            let detail = "the schema of the collection is no JSON Schema that is read: change it";
            Err(Error::state("schema_unreadable", detail))
        }
        schema => schema,
    }
}

/// Checks a body of the document in this row against the schema of its collection, with the secrets that the row has
/// already.
///
/// # Errors
/// [`Error::Invalid`] with pointers below `/body`, [`Error::NotConfigured`] where there is no key for secrets.
pub(crate) fn admit(
    tx: &Tx,
    declared: Option<Declared<'_>>,
    (organization_id, id): (Uuid, Uuid),
    body: Map<String, Value>,
    kept: Option<&str>,
) -> Result<Admitted> {
    let Some(schema) = of_collection(declared)? else {
        return Ok(Admitted { body, secrets: None });
    };
    let sealed = kept.filter(|_| schema.has_secrets());
    let kept = match sealed {
        Some(sealed) => open(tx.keyring(), (organization_id, id), sealed)?,
        None => Secrets::new(),
    };
    let admitted = schema.admit(body, &kept).map_err(|error| error.prefix_pointer("/body"));
    let (body, secrets) = admitted?;
    let secrets = match sealed {
        _ if secrets.is_empty() => None,
        Some(sealed) if secrets == kept => Some(sealed.to_owned()),
        _ => Some(seal(tx, (organization_id, id), &secrets)?),
    };
    Ok(Admitted { body, secrets })
}

fn seal(tx: &Tx, (organization_id, id): (Uuid, Uuid), secrets: &Secrets) -> Result<String> {
    let plain = serde_json::to_vec(secrets)
        .map_err(|error| Error::Internal(format!("secrets cannot be written: {error}")))?;
    tx.keyring().seal(tx.random(), &DOCUMENT_SECRETS.at(organization_id, id), &plain)
}

/// The secrets of a row.
///
/// # Errors
/// [`Error::NotConfigured`] where their key is not there.
pub(crate) fn open(
    keyring: &Keyring,
    (organization_id, id): (Uuid, Uuid),
    sealed: &str,
) -> Result<Secrets> {
    let plain = keyring.open(&DOCUMENT_SECRETS.at(organization_id, id), sealed)?;
    serde_json::from_slice(&plain)
        .map_err(|_| Error::Internal(format!("the secrets of document {id} cannot be read")))
}
