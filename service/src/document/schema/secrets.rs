//! Texts of bodies that are secret: they are kept apart from the body, which has a mask in their place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    error::{Violation, Violations},
    input::escape,
};

/// What stands in a body for a secret. Who writes it leaves the secret as it is.
pub const MASK: &str = "•••";

/// Secrets by the pointers to their places in a body.
pub type Secrets = BTreeMap<String, String>;

/// Puts the secrets in the places of their masks.
///
/// # Errors
/// Where there is a mask for no secret.
pub(super) fn reveal(
    body: &mut Map<String, Value>,
    places: &[Vec<String>],
    secrets: &Secrets,
) -> Result<(), Violations> {
    let mut found = Vec::new();
    for place in places {
        let Some(Value::String(text)) = find(body, place) else { continue };
        if text != MASK {
            continue;
        }
        let pointer = pointer_of(place);
        match secrets.get(&pointer) {
            Some(secret) => secret.clone_into(text),
            None => {
                found.push(Violation::new(pointer, "x-secret", "must be a secret: none is kept"))
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Takes the secrets out of a body, and leaves their masks.
pub(super) fn conceal(body: &mut Map<String, Value>, places: &[Vec<String>]) -> Secrets {
    let mut secrets = Secrets::new();
    for place in places {
        if let Some(Value::String(text)) = find(body, place) {
            let secret = std::mem::replace(text, MASK.to_owned());
            secrets.insert(pointer_of(place), secret);
        }
    }
    secrets
}

fn find<'a>(body: &'a mut Map<String, Value>, place: &[String]) -> Option<&'a mut Value> {
    let (first, rest) = place.split_first()?;
    rest.iter().try_fold(body.get_mut(first)?, |value, name| value.as_object_mut()?.get_mut(name))
}

fn pointer_of(place: &[String]) -> String {
    place.iter().map(|name| format!("/{}", escape(name))).collect()
}
