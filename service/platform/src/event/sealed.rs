//! What of an event is sealed: the fields that its resource names in [`Resource::SEALED`].
//!
//! They are not in the event's data, but together in its column `sealed`, with a salt. The data has the
//! SHA-256 of salt and fields in their place, so that the chain of the log covers them: they can be sealed
//! anew with another key, or erased, and the chain holds; and nobody can guess them by their digest, whose salt
//! is sealed with them (docs/decisions/0013).

use entity::event;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    random::{Random, hexadecimal},
    resource::Resource,
    seal::{AssociatedData, EVENT, Keyring},
};

/// Under which name the data has the digest of what is sealed. No resource has a field of this name.
const DIGEST: &str = "sealed";
/// More than anybody can try.
const SALT_BYTES: usize = 32;

/// Where what is sealed of an event is kept.
fn associated_data(log: Uuid, id: Uuid) -> AssociatedData {
    EVENT.at(log, id)
}

/// Takes the fields out of the data that are to be sealed, and seals them for the event.
pub(crate) fn seal<R: Resource>(
    (keyring, random): (&Keyring, &Random),
    (log, id): (Uuid, Uuid),
    data: &mut Value,
) -> Result<Option<String>> {
    let Value::Object(fields) = data else { return Ok(None) };
    if fields.contains_key(DIGEST) {
        return Err(Error::Internal(format!("{} has a field {DIGEST}", R::ENTITY)));
    }
    let taken = R::SEALED.iter().filter_map(|name| fields.remove_entry(*name));
    let taken: Map<String, Value> = taken.collect();
    if taken.is_empty() {
        return Ok(None);
    }
    let salt = random.bytes::<SALT_BYTES>();
    let plain = [&salt[..], Value::from(taken).to_string().as_bytes()].concat();
    fields.insert(DIGEST.to_owned(), digest(&plain).into());
    keyring.seal(random, &associated_data(log, id), &plain).map(Some)
}

/// Puts what is sealed of an event back to its data.
///
/// # Errors
/// [`Error::NotConfigured`] where it does not open, [`Error::Internal`] where it is not what the event
/// was written with.
pub(crate) fn open(keyring: &Keyring, event: &mut event::Model) -> Result<()> {
    let sealed = event.sealed.take();
    let kept = strip(event);
    let Some(sealed) = sealed else { return Ok(()) };
    let plain = keyring.open(&associated_data(event.organization_id, event.id), &sealed)?;
    let other = || Error::Internal(format!("what is sealed of event {} is another's", event.id));
    if kept != Some(Value::from(digest(&plain))) {
        return Err(other());
    }
    let (_, fields) = plain.split_first_chunk::<SALT_BYTES>().ok_or_else(other)?;
    let fields: Map<String, Value> = serde_json::from_slice(fields).map_err(|_| other())?;
    if let Some(Value::Object(data)) = &mut event.data {
        data.extend(fields);
    }
    Ok(())
}

/// Takes the digest out of the data, and gives it.
pub(super) fn strip(event: &mut event::Model) -> Option<Value> {
    match &mut event.data {
        Some(Value::Object(data)) => data.remove(DIGEST),
        _ => None,
    }
}

/// Whether what is sealed of an event is what it was written with; none where its key is not there.
pub(super) fn holds(keyring: &Keyring, event: &event::Model) -> Option<bool> {
    match open(keyring, &mut event.clone()) {
        Ok(()) => Some(true),
        Err(error) if error.code() == "encryption_key_wrong" => Some(false),
        Err(Error::NotConfigured { .. }) => None,
        Err(_) => Some(false),
    }
}

fn digest(plain: &[u8]) -> String {
    hexadecimal(&Sha256::digest(plain))
}
