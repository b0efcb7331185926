//! What is pure: which names, schemas, indexes and roles a collection may have.

use std::collections::HashSet;

use uuid::Uuid;
use validator::ValidationError;

use super::CollectionInput;
use crate::{
    error::{Error, Result},
    input::ExactObject,
    role::Role,
    store::stored::StoredWord,
    text::refusal,
};

/// How many bytes of JSON a schema has at most.
const MAX_SCHEMA_SIZE: usize = 256 * 1024;
/// How many characters a pointer has at most.
const MAX_POINTER_LENGTH: usize = 512;

/// Refuses what is no name, and what could be taken for an id.
pub(super) fn name(name: &str) -> std::result::Result<(), ValidationError> {
    let is_other = |c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.contains(is_other) {
        let message = "must be lower-case ASCII letters, digits, _ and -, beginning with a letter";
        return Err(refusal("name", message));
    }
    if Uuid::try_parse(name).is_ok() {
        return Err(refusal("name", "must not be a UUID"));
    }
    Ok(())
}

/// Refuses a schema that is too large.
pub(super) fn schema(schema: &ExactObject) -> std::result::Result<(), ValidationError> {
    let size = serde_json::to_string(&schema.0).map_or(usize::MAX, |json| json.len());
    if size > MAX_SCHEMA_SIZE {
        return Err(refusal("length", "must be at most 256 KiB of JSON"));
    }
    Ok(())
}

/// Refuses what is no JSON Pointer to a member, and what stands there twice.
pub(super) fn indexes(pointers: &[String]) -> std::result::Result<(), ValidationError> {
    let mut met = HashSet::new();
    for pointer in pointers {
        if pointer.chars().count() > MAX_POINTER_LENGTH || !is_pointer(pointer) {
            let message = "must be JSON Pointers of 1 to 512 characters, such as /address/city";
            return Err(refusal("pointer", message));
        }
        if !met.insert(pointer) {
            return Err(refusal("duplicate", "must be unique"));
        }
    }
    Ok(())
}

/// RFC 6901, section 3, without the pointer to the whole.
fn is_pointer(pointer: &str) -> bool {
    let mut parts = pointer.split('~');
    pointer.starts_with('/')
        && parts.next().is_some()
        && parts.all(|after| after.starts_with(['0', '1']))
}

/// Refuses roles that contradict each other, and those above the role of who sets them: nobody gives what they do not
/// have, or takes it from who is above them.
///
/// # Errors
/// [`Error::Invalid`], [`Error::Forbidden`].
pub(super) fn roles(by: Role, now: Option<[Role; 2]>, input: &CollectionInput) -> Result<()> {
    let CollectionInput { read_role, write_role, .. } = *input;
    within(by, now.into_iter().flatten().chain([read_role, write_role]))?;
    if write_role < Role::Member || write_role < read_role {
        let message = "must be `member` or higher, and not lower than `read_role`";
        return Err(Error::invalid("/write_role", "role", message));
    }
    Ok(())
}

/// Refuses who is below one of these roles.
pub(super) fn within(by: Role, mut roles: impl Iterator<Item = Role>) -> Result<()> {
    match roles.find(|role| *role > by) {
        None => Ok(()),
        Some(role) => {
            let role = role.as_str();
            let detail = format!("a role of the collection is above yours: {role}");
            Err(Error::forbidden("role_insufficient", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_none_that_a_path_could_take_for_an_id() {
        for sound in ["a", "agents", "a-1_b", "b0000000"] {
            assert!(name(sound).is_ok(), "{sound}");
        }
        let id = "a19a8b20-4c00-7a10-8000-000000000001";
        let simple = id.replace('-', "");
        for unsound in ["", "A", "1a", "-a", "_a", "a b", "ä", "a.b", id, &simple] {
            assert!(name(unsound).is_err(), "{unsound}");
        }
    }

    #[test]
    fn a_pointer_is_one_of_rfc_6901() {
        for sound in ["/", "/a", "/a/0/b", "/a~0b/~1", "/ä b"] {
            assert!(is_pointer(sound), "{sound}");
        }
        for unsound in ["", "a", "a/b", "/a~", "/a~2b", "/~~0"] {
            assert!(!is_pointer(unsound), "{unsound}");
        }
        let twice = ["/a".to_owned(), "/a".to_owned()];
        assert!(indexes(&twice).is_err());
        assert!(indexes(&[format!("/{}", "a".repeat(512))]).is_err());
    }

    #[test]
    fn nobody_sets_roles_above_their_own() {
        let with = |read_role, write_role| CollectionInput {
            read_role,
            write_role,
            ..CollectionInput::example()
        };
        use Role::{Admin, Manager, Member, Owner, Viewer};
        assert!(roles(Manager, None, &with(Viewer, Member)).is_ok());
        assert!(roles(Manager, Some([Manager, Manager]), &with(Viewer, Member)).is_ok());
        assert!(roles(Manager, None, &with(Viewer, Admin)).is_err());
        assert!(roles(Admin, Some([Owner, Owner]), &with(Viewer, Member)).is_err());
        for (read_role, write_role) in [(Viewer, Viewer), (Admin, Manager)] {
            assert!(roles(Owner, None, &with(read_role, write_role)).is_err());
        }
    }
}
