//! Which engine keeps documents, as a URL.

use std::{fmt, str::FromStr, sync::Arc};

use super::{
    super::engine::{Engine, couchdb, memory::Memory},
    Documents,
};
use crate::{error::Error, store::Remote};

/// Where documents are kept. It does not show itself: it may hold a password.
#[derive(Clone)]
pub struct Location {
    shown: String,
    engine: Option<Arc<dyn Engine>>,
}

/// A URL of no engine that there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidUrl(String);

const SCHEMES: &str = "\
must be sql:, memory:, couchdb://USER:PASSWORD@HOST:5984/PREFIX (couchdbs:// for TLS), \
dynamodb://ACCESS_KEY:SECRET_KEY@REGION/TABLE, mongodb://USER:PASSWORD@HOST/DATABASE or \
firestore://PROJECT/PREFIX?credentials=FILE";

impl Location {
    /// The engine, unless it is steward's own database.
    pub fn engine(&self) -> Option<&Arc<dyn Engine>> {
        self.engine.as_ref()
    }

    /// What the store is handed.
    pub fn remote(&self) -> Option<Arc<dyn Remote>> {
        let engine = self.engine.clone()?;
        Some(Arc::new(Documents::new(engine)))
    }

    /// The URL without what is secret in it.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl FromStr for Location {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let engine: Option<Arc<dyn Engine>> = match scheme {
            "sql" if text == "sql:" => None,
            "memory" if text == "memory:" => Some(Arc::new(Memory::new())),
            "couchdb" | "couchdbs" => {
                let couchdb = couchdb::CouchDb::new(text, couchdb::TIMEOUT).map_err(refused)?;
                Some(Arc::new(couchdb))
            }
            "dynamodb" => Some(dynamodb(text)?),
            "firestore" => Some(firestore(text)?),
            "mongodb" => Some(mongodb(text)?),
            _ => return Err(InvalidUrl(SCHEMES.to_owned())),
        };
        Ok(Self { shown: without_secrets(text), engine })
    }
}

/// The engine of a URL, which is part of a steward that is built with a feature of its name.
macro_rules! behind_a_feature {
    ($feature:literal, $name:ident, $Engine:ident) => {
        #[cfg(feature = $feature)]
        fn $name(text: &str) -> Result<Arc<dyn Engine>, InvalidUrl> {
            use super::super::engine::$name;
            Ok(Arc::new($name::$Engine::new(text, $name::TIMEOUT).map_err(refused)?))
        }

        #[cfg(not(feature = $feature))]
        fn $name(_: &str) -> Result<Arc<dyn Engine>, InvalidUrl> {
            let needed = "needs a steward that is built with the feature";
            Err(InvalidUrl(format!("{0}: {needed} `{0}`", $feature)))
        }
    };
}

behind_a_feature!("dynamodb", dynamodb, DynamoDb);
behind_a_feature!("firestore", firestore, Firestore);
behind_a_feature!("mongodb", mongodb, MongoDb);

/// What the error says has nothing of the URL.
fn refused(error: Error) -> InvalidUrl {
    match error {
        Error::NotConfigured { detail, .. } => InvalidUrl(detail.into_owned()),
        other => InvalidUrl(other.to_string()),
    }
}

fn without_secrets(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{}", host.split('?').next().unwrap_or_default())
        }
        None => text.to_owned(),
    }
}

impl Default for Location {
    /// steward's own database.
    fn default() -> Self {
        Self { shown: "sql:".to_owned(), engine: None }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_which_engine_and_does_not_show_its_secrets() {
        for (url, is_own, shown) in [
            ("sql:", true, "sql:"),
            ("memory:", false, "memory:"),
            ("couchdb://ada:s3cr3t@db:5984/steward", false, "couchdb://db:5984/steward"),
            ("couchdbs://ada:s3cr3t@db/steward", false, "couchdbs://db/steward"),
        ] {
            let location: Location = url.parse().expect(url);
            assert_eq!(
                (location.engine().is_none(), location.remote().is_none()),
                (is_own, is_own)
            );
            assert_eq!([location.to_string(), format!("{location:?}")], [shown, shown]);
        }
    }

    #[test]
    fn a_url_of_something_else_is_refused_and_not_shown() {
        for url in [
            "",
            "sql",
            "sql:x",
            "memory:x",
            "redis://ada:s3cr3t@db/steward",
            "couchdb://ada:s3cr3t@db",
            "http://ada:s3cr3t@db/steward",
        ] {
            let error = url.parse::<Location>().expect_err(url);
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
    }

    #[cfg(not(any(feature = "dynamodb", feature = "firestore", feature = "mongodb")))]
    #[test]
    fn an_engine_that_is_not_built_says_which_feature_is_missing() {
        for (feature, url) in [
            ("dynamodb", "dynamodb://A:s3cr3t@eu-central-1/steward"),
            ("firestore", "firestore://project/steward?credentials=s3cr3t"),
            ("mongodb", "mongodb://ada:s3cr3t@db/steward"),
        ] {
            let error = url.parse::<Location>().expect_err("no such engine").to_string();
            let expected = format!("feature `{feature}`");
            assert!(error.contains(&expected) && !error.contains("s3cr3t"), "{error}");
        }
    }
}
