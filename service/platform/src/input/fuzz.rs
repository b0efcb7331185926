//! What `fuzz/targets/merge_patch.rs` runs.

use serde_json::Value;

use super::{change::merge, parse};

/// Applies a merge patch to a document, if both are JSON that a client may send.
///
/// # Panics
/// If a second time changes something, if a null is left of the patch, or if something changes that the patch does
/// not name.
pub fn merge_patch(document: &[u8], patch: &[u8]) {
    let (Ok(document), Ok(patch)) = (parse(document, &[]), parse(patch, &[])) else { return };
    let mut once = document.clone();
    merge(&mut once, &patch);
    let mut twice = once.clone();
    merge(&mut twice, &patch);
    assert_eq!(once, twice);
    let Value::Object(named) = &patch else {
        assert_eq!(once, patch);
        return;
    };
    let fields = once.as_object().expect("a patch that is an object makes one");
    for (name, value) in named.iter().filter(|(_, value)| !value.is_object()) {
        assert_eq!(fields.get(name), Some(value).filter(|value| !value.is_null()), "{name}");
    }
    for (name, value) in document.as_object().into_iter().flatten() {
        if !named.contains_key(name) {
            assert_eq!(fields.get(name), Some(value), "{name}");
        }
    }
}
