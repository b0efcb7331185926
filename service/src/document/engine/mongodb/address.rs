//! Where a MongoDB is.

use mongodb::options::ConnectionString;

/// A URL that names no database of MongoDB. What it is does not show: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL of a MongoDB must be as mongodb://USER:PASSWORD@HOST:27017/DATABASE, with a database"
)]
pub struct NotAMongoDbUrl;

/// The URL, and the name of the database in it.
pub(super) fn parse(url: &str) -> Result<(ConnectionString, String), NotAMongoDbUrl> {
    if !url.starts_with("mongodb://") {
        return Err(NotAMongoDbUrl);
    }
    let address = ConnectionString::parse(url).map_err(|_| NotAMongoDbUrl)?;
    let database = address.default_database.clone().ok_or(NotAMongoDbUrl)?;
    Ok((address, database))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_the_database() {
        for url in ["mongodb://localhost/steward", "mongodb://a:b@h:27017,i:27018/steward?tls=true"]
        {
            assert_eq!(parse(url).expect(url).1, "steward");
        }
    }

    #[test]
    fn a_url_of_something_else_is_refused_and_not_shown() {
        for url in
            ["", "mongodb:", "mongodb://localhost", "mongodb://a:s3cr3t@h", "http://h/steward"]
        {
            let error = parse(url).err().expect(url);
            assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        }
    }
}
