//! Queries as InfluxDB takes them: what is unknown is ignored.

use std::{
    collections::HashMap,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use service::{
    error::{Error, Result},
    meter::line_protocol::Precision,
};
use uuid::Uuid;

use crate::problem::Failure;

/// How long the name of a bucket is at most, in characters.
const MAX_BUCKET: usize = 200;

/// The query of a request.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<String, String>);

impl FromRequest for Parameters {
    type Error = Failure;
    type Future = Ready<std::result::Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.query_string())))
    }
}

impl Parameters {
    pub(super) fn of(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The bucket that these parameters name.
    pub(super) fn bucket(&self, names: &[&'static str]) -> Result<String> {
        let name = names.first().copied().unwrap_or_default();
        let wrong = |what| Error::invalid(format!("?{name}"), "value", what);
        let parts: Vec<&str> = names.iter().filter_map(|name| self.text(name)).collect();
        if self.text(name).is_none() {
            return Err(wrong("must name a bucket or a database"));
        }
        let bucket = parts.join("/");
        if bucket.chars().count() > MAX_BUCKET || bucket.chars().any(char::is_control) {
            return Err(wrong("must have at most 200 characters, and no control characters"));
        }
        Ok(bucket)
    }

    pub(super) fn precision(&self) -> Result<Precision> {
        let Some(name) = self.text("precision") else { return Ok(Precision::default()) };
        let unknown =
            || Error::invalid("?precision", "value", "must be one of ns, us, ms, s, m, h");
        Precision::of(name).ok_or_else(unknown)
    }

    /// Refuses an organization that is named by its id and is not this. By a name it is the key's, whatever that is.
    pub(super) fn require_organization(&self, organization_id: Uuid) -> Result<()> {
        let named = ["orgID", "org"].into_iter().filter_map(|name| self.text(name));
        match named.filter_map(|name| Uuid::try_parse(name).ok()).any(|id| id != organization_id) {
            true => Err(Error::NotFound("organization")),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_a_database_with_its_policy() {
        let bucket = |query| Parameters::of(query).bucket(&["db", "rp"]);
        assert_eq!(bucket("db=home&u=x").expect("one"), "home");
        assert_eq!(bucket("db=home&rp=year").expect("one"), "home/year");
        for query in ["", "db=", "rp=year", "db=a%0Ab"] {
            assert!(bucket(query).is_err(), "{query}");
        }
    }

    #[test]
    fn an_organization_is_the_one_of_the_key() {
        let id = Uuid::from_u128(7);
        let asks = |query: &str| Parameters::of(query).require_organization(id).is_ok();
        assert!(asks("") && asks("org=home") && asks(&format!("org={id}")));
        let other = Uuid::from_u128(8);
        assert!(!asks(&format!("orgID={other}")) && !asks(&format!("org={other}")));
    }
}
