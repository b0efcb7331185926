//! Where objects are, as the configuration says it.

use std::{fmt, fs, path::PathBuf, str::FromStr, sync::Arc};

use object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory, prefix::PrefixStore};
use url::Url;

/// The features with which steward reaches a bucket, by the schemes of their URLs.
const FEATURES: &[(&[&str], &str)] = &[
    (&["s3", "s3a"], "s3"),
    (&["gs"], "gcs"),
    (&["az", "azure", "abfs", "abfss", "adl"], "azure"),
];
/// The beginnings of the variables that say how a bucket is reached, as those of the clouds' own programs.
const VARIABLES: &[&str] = &["AWS_", "GOOGLE_", "AZURE_"];

/// Where objects are: a folder, `memory:`, or the URL of a bucket and a prefix in it. It shows no credentials, of which
/// it has none: they are in the variables of the clouds' own programs.
#[derive(Clone, PartialEq, Eq)]
pub enum ObjectsUrl {
    /// In memory: for tests.
    Memory,
    /// In a folder, which is made if it is not there.
    Folder(PathBuf),
    /// In a bucket: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`.
    Bucket(Url),
}

/// Why objects cannot be at a location.
#[derive(Debug, thiserror::Error)]
pub enum NotALocation {
    /// The text is none.
    #[error(
        "STEWARD_OBJECTS_URL must be a folder, as /var/lib/steward/objects, or the URL of a bucket, as \
         s3://bucket/prefix"
    )]
    Url,
    /// steward was built without what it takes.
    #[error(
        "STEWARD_OBJECTS_URL names a bucket, and this steward was built without what it takes: \
         cargo build --features {0}"
    )]
    Feature(&'static str),
    /// The folder cannot be made.
    #[error("the folder of objects {}: {cause}", .folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The configuration of the bucket is not complete.
    #[error("STEWARD_OBJECTS_URL: {0}")]
    Bucket(String),
}

impl FromStr for ObjectsUrl {
    type Err = NotALocation;

    fn from_str(text: &str) -> Result<Self, NotALocation> {
        if ["memory:", "memory://", "memory:///"].contains(&text) {
            return Ok(Self::Memory);
        }
        if !text.contains("://") {
            return if text.is_empty() {
                Err(NotALocation::Url)
            } else {
                Ok(Self::Folder(text.into()))
            };
        }
        let url = Url::parse(text).map_err(|_| NotALocation::Url)?;
        if url.scheme() == "file" {
            return url.to_file_path().map(Self::Folder).map_err(|()| NotALocation::Url);
        }
        let is_known = FEATURES.iter().any(|(schemes, _)| schemes.contains(&url.scheme()));
        let is_plain = url.password().is_none() && url.query().is_none() && url.host().is_some();
        if is_known && is_plain { Ok(Self::Bucket(url)) } else { Err(NotALocation::Url) }
    }
}

impl fmt::Display for ObjectsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for ObjectsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ObjectsUrl {
    /// The folder beside a database of SQLite: `steward.db.objects`. None beside one in memory, or of another kind.
    pub fn beside(database_url: &str) -> Option<Self> {
        let file = database_url.strip_prefix("sqlite:")?;
        let file = file.strip_prefix("//").unwrap_or(file);
        let (file, query) = file.split_once('?').unwrap_or((file, ""));
        let is_in_memory = file.contains(":memory:") || query.contains("mode=memory");
        (!is_in_memory).then(|| Self::Folder(format!("{file}.objects").into()))
    }

    pub(super) fn open(&self) -> Result<Arc<dyn ObjectStore>, NotALocation> {
        match self {
            Self::Memory => Ok(Arc::new(InMemory::new())),
            Self::Folder(folder) => {
                let failed = |cause| NotALocation::Folder { folder: folder.clone(), cause };
                make_private(folder).map_err(failed)?;
                let store = LocalFileSystem::new_with_prefix(folder);
                let store = store.map_err(|error| failed(std::io::Error::other(error)))?;
                // No automatic clean-up of empty folders: one could go while another upload publishes into it.
                Ok(Arc::new(store.with_fsync(true)))
            }
            Self::Bucket(url) => open_bucket(url),
        }
    }
}

/// What is in it is for the one who runs steward alone.
fn make_private(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn open_bucket(url: &Url) -> Result<Arc<dyn ObjectStore>, NotALocation> {
    let (_, feature) = FEATURES
        .iter()
        .find(|(schemes, _)| schemes.contains(&url.scheme()))
        .ok_or(NotALocation::Url)?;
    let is_built = match *feature {
        "s3" => cfg!(feature = "s3"),
        "gcs" => cfg!(feature = "gcs"),
        _ => cfg!(feature = "azure"),
    };
    if !is_built {
        return Err(NotALocation::Feature(feature));
    }
    // The client of the bucket takes the TLS that the process has.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        VARIABLES.iter().any(|it| name.starts_with(it)).then(|| (name.to_lowercase(), value))
    });
    let opened = object_store::parse_url_opts(url, variables);
    let (store, prefix) = opened.map_err(|error| NotALocation::Bucket(error.to_string()))?;
    Ok(if prefix.as_ref().is_empty() {
        Arc::from(store)
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    })
}
