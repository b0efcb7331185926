//! Where documents are in Firestore.

use std::path::PathBuf;

use reqwest::Url;

use super::super::CollectionId;
use crate::random::hexadecimal;

/// How long the name of the collection at the top may be.
const MAX_PREFIX_LENGTH: usize = 32;

/// A database, and how steward is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Where requests go, without a slash at the end.
    pub(super) server: String,
    /// How the names of all documents begin.
    root: String,
    pub(super) access: Access,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Access {
    /// The file of a service account, as Google gives it out.
    ServiceAccount(PathBuf),
    /// That of an emulator, which lets everybody in.
    Emulator,
}

/// A URL that names no Firestore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL of a Firestore must be as firestore://PROJECT/PREFIX?credentials=FILE, where FILE is the key of a service \
     account, or firestore://PROJECT/PREFIX?emulator=HOST:PORT; PREFIX has 1 to {MAX_PREFIX_LENGTH} characters of a-z, \
     0-9, _ and -, and begins with a letter"
)]
pub struct NotAFirestoreUrl;

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, NotAFirestoreUrl> {
        let url = Url::parse(text).map_err(|_| NotAFirestoreUrl)?;
        let has_more =
            url.fragment().is_some() || url.port().is_some() || !url.username().is_empty();
        if url.scheme() != "firestore" || has_more || url.password().is_some() {
            return Err(NotAFirestoreUrl);
        }
        let project = url.host_str().filter(|project| is_name(project)).ok_or(NotAFirestoreUrl)?;
        let prefix = url.path().trim_start_matches('/');
        if !is_name(prefix) || prefix.len() > MAX_PREFIX_LENGTH {
            return Err(NotAFirestoreUrl);
        }
        let mut parameters = url.query_pairs();
        let (server, access) = match (parameters.next(), parameters.next()) {
            (Some((name, file)), None) if name == "credentials" && !file.is_empty() => {
                let file = PathBuf::from(file.as_ref());
                ("https://firestore.googleapis.com".to_owned(), Access::ServiceAccount(file))
            }
            (Some((name, host)), None) if name == "emulator" => {
                let server = format!("http://{host}");
                let is_host = Url::parse(&server).is_ok_and(|url| url.path() == "/");
                (is_host.then_some(server).ok_or(NotAFirestoreUrl)?, Access::Emulator)
            }
            _ => return Err(NotAFirestoreUrl),
        };
        let root = format!("projects/{project}/databases/(default)/documents/{prefix}");
        Ok(Self { server, root, access })
    }

    /// The names in a collection.
    pub(super) fn names(&self, id: CollectionId) -> Names {
        let (organization, collection) = (id.organization_id.simple(), id.collection_id.simple());
        Names(format!("{}/{organization}-{collection}", self.root))
    }

    /// The database, as requests of several documents name it.
    pub(super) fn documents(&self) -> &str {
        self.root.rsplit_once('/').map_or("", |(documents, _)| documents)
    }
}

fn is_name(text: &str) -> bool {
    let may = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(may)
}

/// The names of what a collection has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(String);

impl Names {
    /// The document that counts the changes, below which the others are.
    pub(super) fn head(&self) -> &str {
        &self.0
    }

    /// That of a key. Keys in hexadecimal are in the order of their bytes, and none is a name of Firestore's own.
    pub(super) fn document(&self, key: &str) -> String {
        format!("{}/documents/d{}", self.0, hexadecimal(key.as_bytes()))
    }

    /// A part of a body that is too large for one document.
    pub(super) fn part(&self, write_id: uuid::Uuid, number: usize) -> String {
        format!("{}/bodies/{}-{number}", self.0, write_id.simple())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_the_project_the_prefix_and_how_to_get_in() {
        let address = Address::parse("firestore://my-project/steward?credentials=/etc/key.json");
        let address = address.expect("a URL");
        assert_eq!(address.server, "https://firestore.googleapis.com");
        assert_eq!(address.access, Access::ServiceAccount("/etc/key.json".into()));
        assert_eq!(address.documents(), "projects/my-project/databases/(default)/documents");
        let address = Address::parse("firestore://p/s-1?emulator=127.0.0.1:8080").expect("a URL");
        assert_eq!((&*address.server, address.access), ("http://127.0.0.1:8080", Access::Emulator));
    }

    #[test]
    fn a_url_of_something_else_is_refused() {
        for url in [
            "",
            "firestore:",
            "firestore://project",
            "firestore://project/steward",
            "firestore://project/steward?credentials=",
            "firestore://project/steward?credentials=a&emulator=b",
            "firestore://project/steward?emulator=a/b",
            "firestore://project/Steward?emulator=a:1",
            "firestore://project/a/b?emulator=a:1",
            "firestore://:s3cr3t@project/steward?emulator=a:1",
            "http://project/steward?emulator=a:1",
        ] {
            let error = Address::parse(url).expect_err(url);
            assert!(!error.to_string().contains("s3cr3t"));
        }
    }
}
