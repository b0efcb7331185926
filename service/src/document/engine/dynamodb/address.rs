//! Where a table of DynamoDB is.

use percent_encoding::percent_decode_str;
use reqwest::Url;

/// A table, and with what it is opened.
pub(super) struct Address {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) region: String,
    pub(super) table: String,
    /// Another server than that of the region.
    pub(super) endpoint: Option<String>,
}

/// A URL that names no table. What it is does not show: it holds a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL of a DynamoDB must be as dynamodb://ACCESS_KEY:SECRET_KEY@REGION/TABLE, percent-encoded, and may end in \
     ?endpoint=https://HOST:PORT; TABLE has 3 to 255 characters of a-z, A-Z, 0-9, _, - and ."
)]
pub struct NotADynamoDbUrl;

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, NotADynamoDbUrl> {
        let url = Url::parse(text).map_err(|_| NotADynamoDbUrl)?;
        if url.scheme() != "dynamodb" || url.fragment().is_some() || url.port().is_some() {
            return Err(NotADynamoDbUrl);
        }
        let mut endpoint = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "endpoint" if is_endpoint(&value) => endpoint = Some(value.into_owned()),
                _ => return Err(NotADynamoDbUrl),
            }
        }
        let table = url.path().trim_start_matches('/').to_owned();
        let may = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if !(3..=255).contains(&table.len()) || !table.bytes().all(may) {
            return Err(NotADynamoDbUrl);
        }
        Ok(Self {
            access_key: decoded(url.username())?,
            secret_key: decoded(url.password().unwrap_or_default())?,
            region: url.host_str().ok_or(NotADynamoDbUrl)?.to_owned(),
            table,
            endpoint,
        })
    }
}

fn is_endpoint(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn decoded(text: &str) -> Result<String, NotADynamoDbUrl> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| NotADynamoDbUrl)?;
    if decoded.is_empty() { Err(NotADynamoDbUrl) } else { Ok(decoded.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_the_region_the_table_and_the_keys() {
        let text =
            "dynamodb://AKID:a%2Fb%2Bc@eu-central-1/steward?endpoint=http%3A%2F%2F127.0.0.1:8000";
        let address = Address::parse(text).expect("a URL");
        let keys = [&*address.access_key, &*address.secret_key, &*address.region, &*address.table];
        assert_eq!(keys, ["AKID", "a/b+c", "eu-central-1", "steward"]);
        assert_eq!(address.endpoint.as_deref(), Some("http://127.0.0.1:8000"));
    }

    #[test]
    fn a_url_of_something_else_is_refused_and_not_shown() {
        for url in [
            "",
            "dynamodb:",
            "dynamodb://AKID:s3cr3t@eu-central-1",
            "dynamodb://AKID:s3cr3t@eu-central-1/ab",
            "dynamodb://AKID:s3cr3t@eu-central-1/a/b",
            "dynamodb://AKID:s3cr3t@eu-central-1/steward?x=1",
            "dynamodb://AKID:s3cr3t@eu-central-1/steward?endpoint=ftp://x",
            "dynamodb://AKID@eu-central-1/steward",
            "dynamodb://eu-central-1/steward",
            "http://AKID:s3cr3t@eu-central-1/steward",
        ] {
            let error = Address::parse(url).err().expect(url);
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        }
    }
}
