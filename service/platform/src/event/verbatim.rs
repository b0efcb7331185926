//! What of an event is exact JSON: the members that its resource names in [`Resource::VERBATIM`].
//!
//! The databases keep the data in their own ways: PostgreSQL orders names and drops what it takes for the same. So
//! these members are kept as the text that they are, together in one string, of which the digest and the chain of the
//! log are the same on both databases. They are put back where an event is read.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    resource::Resource,
};

/// Under which name the data has the text. No resource with such members has a field of this name.
const TEXT: &str = "verbatim";

/// Takes the members out of the data that are exact, and puts their text in their place.
pub(crate) fn keep<R: Resource>(data: &mut Value) -> Result<()> {
    let Value::Object(fields) = data else { return Ok(()) };
    if R::VERBATIM.is_empty() {
        return Ok(());
    }
    if fields.contains_key(TEXT) {
        return Err(Error::Internal(format!("{} has a field {TEXT}", R::ENTITY)));
    }
    let taken = R::VERBATIM.iter().filter_map(|name| fields.remove_entry(*name));
    let taken: Map<String, Value> = taken.collect();
    if !taken.is_empty() {
        fields.insert(TEXT.to_owned(), Value::Object(taken).to_string().into());
    }
    Ok(())
}

/// Puts the members of an event back to its data.
///
/// # Errors
/// [`Error::Internal`] where they are not what [`keep`] has made.
pub(super) fn expand(event: Uuid, data: &mut Value) -> Result<()> {
    let Value::Object(fields) = data else { return Ok(()) };
    let Some(Value::String(text)) = fields.get(TEXT) else { return Ok(()) };
    let taken: Map<String, Value> = serde_json::from_str(text)
        .map_err(|_| Error::Internal(format!("what is exact in event {event} is no JSON")))?;
    fields.remove(TEXT);
    fields.extend(taken);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use utoipa::ToSchema;

    use super::*;
    use crate::{event::Verb, resource::versioned, role::Permission};

    /// One that has such a member.
    #[derive(Serialize, ToSchema)]
    struct Sample {
        id: Uuid,
        version: i64,
    }

    versioned!(Sample);

    impl Resource for Sample {
        const ENTITY: &'static str = "sample";
        const READ: Permission = Permission::ReadWork;
        const VERBS: &'static [Verb] = &[];
        const VERBATIM: &'static [&'static str] = &["body", "absent"];
    }

    #[test]
    fn a_member_is_kept_to_the_letter_and_put_back() {
        let text =
            r#"{"id":1,"body":{"b":1.00,"a":[1e+400,-0,0.10000000000000000000001],"":null}}"#;
        let mut data: Value = serde_json::from_str(text).expect("JSON");
        let before = data.clone();
        keep::<Sample>(&mut data).expect("kept");
        let exact = r#"{"body":{"b":1.00,"a":[1e+400,-0,0.10000000000000000000001],"":null}}"#;
        assert_eq!(data, serde_json::json!({ "id": 1, "verbatim": exact }));
        expand(Uuid::nil(), &mut data).expect("put back");
        assert_eq!(data, before);
        assert_eq!(data["body"].to_string(), before["body"].to_string());
    }

    #[test]
    fn what_is_not_kept_so_is_left_alone() {
        let mut data = serde_json::json!({ "verbatim": null, "id": 1 });
        expand(Uuid::nil(), &mut data).expect("nothing to do");
        assert_eq!(data["verbatim"], Value::Null);
        let mut data = serde_json::json!({ "verbatim": "{" });
        assert!(expand(Uuid::nil(), &mut data).is_err());
    }
}
