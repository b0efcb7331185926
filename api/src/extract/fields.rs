use std::collections::BTreeSet;

use actix_web::{HttpRequest, http::Method, web};
use serde::Serialize;
use serde_json::Value;
use service::error::{Error, Result, Violation};

use crate::paths::Paths;

/// The parameter that names them.
pub(super) const FIELDS: &str = "fields";
/// How long it may be: longer than the names of all properties of any resource.
pub(crate) const MAX_FIELDS_LENGTH: usize = 2000;
/// What a resource always shows, so that it can be changed.
const ALWAYS: [&str; 2] = ["id", "version"];

/// The properties that a client wants to see of each resource in an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fields(BTreeSet<String>);

impl Fields {
    /// Those that a request names, if it names any and its route answers with resources.
    ///
    /// # Errors
    /// If they are none of the resource.
    pub(crate) fn of(request: &HttpRequest) -> Result<Option<Self>> {
        let query = request.query_string();
        if !query.split('&').any(|pair| is(pair, FIELDS)) || request.method() != Method::GET {
            return Ok(None);
        }
        let paths = request.app_data::<web::Data<Paths>>();
        let known = paths.and_then(|paths| paths.find(request));
        match known.map(|known| &known.properties) {
            Some(properties) if !properties.is_empty() => Self::read(query, properties).map(Some),
            _ => Ok(None),
        }
    }

    fn read(query: &str, properties: &BTreeSet<String>) -> Result<Self> {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let mut named = pairs.filter(|(name, _)| name == FIELDS).map(|(_, value)| value);
        let at = || format!("?{FIELDS}");
        let list = named.next().unwrap_or_default();
        if named.next().is_some() {
            return Err(Error::invalid(at(), "duplicate_field", "must not be repeated"));
        }
        if list.chars().count() > MAX_FIELDS_LENGTH {
            let message = format!("must have a length of at most {MAX_FIELDS_LENGTH}");
            return Err(Error::invalid(at(), "length", message));
        }
        let names: BTreeSet<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
        let unknown = names.difference(properties).map(|name| {
            let message = format!("must be properties of the resource: {name:?} is none");
            Violation::new(at(), "unknown_field", message)
        });
        let unknown: Vec<_> = unknown.collect();
        if !unknown.is_empty() {
            return Err(Error::Invalid(unknown));
        }
        Ok(Self(names.into_iter().chain(ALWAYS.map(str::to_owned)).collect()))
    }

    /// Whether a property is one of them.
    pub(crate) fn contains(&self, property: &str) -> bool {
        self.0.contains(property)
    }

    /// A resource with these properties, as far as it has them.
    ///
    /// # Errors
    /// If it cannot be shown.
    pub(crate) fn pick(&self, resource: &impl Serialize) -> Result<Value> {
        let mut shown = serde_json::to_value(resource)
            .map_err(|error| Error::Internal(format!("an answer cannot be shown: {error}")))?;
        if let Value::Object(properties) = &mut shown {
            properties.retain(|name, _| self.0.contains(name));
        }
        Ok(shown)
    }
}

/// A query without a parameter: what else is asked for.
pub(super) fn without(query: &str, parameter: &str) -> String {
    query.split('&').filter(|pair| !is(pair, parameter)).collect::<Vec<_>>().join("&")
}

fn is(pair: &str, parameter: &str) -> bool {
    pair.split('=').next() == Some(parameter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(query: &str) -> Result<Value> {
        let properties = ["id", "note", "tags", "version"].map(str::to_owned).into();
        let resource = json!({ "id": 1, "version": 2, "note": "x", "tags": [] });
        Fields::read(query, &properties)?.pick(&resource)
    }

    #[test]
    fn the_properties_that_are_named_are_shown_and_what_a_change_needs() {
        let note = json!({ "id": 1, "version": 2, "note": "x" });
        for query in ["fields=note", "limit=1&fields=id,%20note&q=x", "fields=note,note,version"] {
            assert_eq!(read(query).expect("fields"), note, "{query}");
        }
        assert_eq!(read("fields=id").expect("fields"), json!({ "id": 1, "version": 2 }));
    }

    #[test]
    fn what_is_no_property_is_refused() {
        for query in [
            "fields=",
            "fields",
            "fields=note,",
            "fields=Note",
            "fields=%FF",
            "fields=note&fields=id",
            &format!("fields=note{}", ",note".repeat(400)),
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }

    #[test]
    fn the_rest_of_a_query_is_as_it_was() {
        let rest = |query| without(query, FIELDS);
        assert_eq!(rest("fields=note&q=a%26b&fieldsx=1&fields"), "q=a%26b&fieldsx=1");
        assert_eq!(rest("fields=note"), "");
    }
}
