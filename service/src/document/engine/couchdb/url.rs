//! Where a CouchDB is.

use reqwest::Url;

/// How long the first part of the databases' names may be.
const MAX_PREFIX_LENGTH: usize = 32;

/// A server, and how the names of steward's databases on it begin.
#[derive(Clone)]
pub(super) struct Address {
    /// Over HTTP; with the credentials, which are sent and not shown.
    pub(super) base: Url,
    pub(super) prefix: String,
}

/// A URL that names no CouchDB. What it is does not show: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL of a CouchDB must be as couchdb://USER:PASSWORD@HOST:5984/PREFIX, or couchdbs://… for TLS; PREFIX has \
     1 to {MAX_PREFIX_LENGTH} characters of a-z, 0-9, _ and -, and begins with a letter"
)]
pub struct NotACouchDbUrl;

impl Address {
    /// Reads `couchdb://USER:PASSWORD@HOST:5984/PREFIX`; behind a proxy, PREFIX may follow further segments.
    pub(super) fn parse(text: &str) -> Result<Self, NotACouchDbUrl> {
        let given = Url::parse(text).map_err(|_| NotACouchDbUrl)?;
        let (scheme, usual_port) = match given.scheme() {
            "couchdb" => ("http", 5984),
            "couchdbs" => ("https", 6984),
            _ => return Err(NotACouchDbUrl),
        };
        if given.query().is_some() || given.fragment().is_some() {
            return Err(NotACouchDbUrl);
        }
        // A scheme that the standard does not know is not replaced by one that it knows.
        let (_, rest) = text.split_once(':').ok_or(NotACouchDbUrl)?;
        let mut base = Url::parse(&format!("{scheme}:{rest}")).map_err(|_| NotACouchDbUrl)?;
        base.set_port(Some(given.port().unwrap_or(usual_port))).map_err(|()| NotACouchDbUrl)?;
        let prefix = base.path().rsplit('/').next().unwrap_or_default().to_owned();
        if !is_prefix(&prefix) {
            return Err(NotACouchDbUrl);
        }
        base.path_segments_mut().map_err(|()| NotACouchDbUrl)?.pop();
        Ok(Self { base, prefix })
    }
}

fn is_prefix(text: &str) -> bool {
    let may = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= MAX_PREFIX_LENGTH
        && text.bytes().all(may)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_the_server_and_the_prefix() {
        for (given, base, prefix) in [
            ("couchdb://localhost/steward", "http://localhost:5984/", "steward"),
            ("couchdb://a:b@10.0.0.1:80/s", "http://a:b@10.0.0.1/", "s"),
            ("couchdbs://[::1]/s-1_x", "https://[::1]:6984/", "s-1_x"),
            ("couchdbs://db.example.org:443/couch/s", "https://db.example.org/couch", "s"),
        ] {
            let address = Address::parse(given).expect(given);
            assert_eq!((address.base.as_str(), address.prefix.as_str()), (base, prefix));
        }
    }

    #[test]
    fn a_url_of_something_else_is_refused_and_not_shown() {
        for url in [
            "",
            "couchdb",
            "couchdb:",
            "couchdb:///steward",
            "couchdb://localhost",
            "couchdb://localhost/",
            "couchdb://localhost/Steward",
            "couchdb://localhost/1",
            "couchdb://localhost/_users",
            "couchdb://localhost/s%20",
            "couchdb://localhost/steward/",
            "couchdb://localhost/steward?x",
            "couchdb://localhost/steward#x",
            "couchdb://:s3cr3t@localhost/abcdefghijklmnopqrstuvwxyz0123456789",
            "http://:s3cr3t@localhost/steward",
        ] {
            let error = Address::parse(url).err().expect(url);
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
    }
}
