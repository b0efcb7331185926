//! Every setting: a flag and a variable each. What a setting is by default, the flag says; where the service
//! has a default of its own, the flag takes that.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use clap::{Args, Command, ValueEnum};
use ipnet::IpNet;
use service::{
    attachment::media::MediaTypes,
    automation::webhook::{self, Retries},
    identity::user::{PasswordCost, Registration},
    objects::ObjectsUrl,
    outbound::Allow,
    saga::SagaTimeouts,
    seal::Keyring,
    store::Options,
    zone,
};

use crate::{cors::Origins, limit::LimitSettings, stream::StreamLimits};

/// Where the data is, and that of time zones.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// The database: sqlite://FILE, sqlite::memory: or postgres://USER:PASSWORD@HOST/NAME
    ///
    /// Without it, steward keeps its data in steward.db in the working directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<DatabaseUrl>,

    /// The same PostgreSQL database without the pooler that DATABASE_URL leads through
    ///
    /// For what needs a session of its own: hearing of other nodes (LISTEN), and the lock of the schema.
    #[arg(long, env = "DATABASE_DIRECT_URL", hide_env_values = true, global = true)]
    pub database_direct_url: Option<DatabaseUrl>,

    /// A streaming replica of the same PostgreSQL database, which then answers reports, exports and lists of events
    ///
    /// It shows what its reader was shown before, or all that is committed; where it cannot, the primary answers.
    #[arg(long, env = "DATABASE_REPLICA_URL", hide_env_values = true, global = true)]
    pub database_replica_url: Option<DatabaseUrl>,

    /// How long a read waits for the replica before the primary answers it, in milliseconds
    #[arg(long, env = "STEWARD_REPLICA_WAIT", global = true,
          default_value_t = Options::default().replica_wait.as_millis() as u64,
          value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub replica_wait: u64,

    /// How many connections to the database at most (on SQLite: for reading)
    #[arg(long, env = "STEWARD_DATABASE_CONNECTIONS", global = true,
          default_value_t = Options::default().max_connections)]
    pub database_connections: u32,

    /// How much of a SQLite database all connections together keep in memory, in MiB
    #[arg(long, env = "STEWARD_SQLITE_CACHE", global = true,
          default_value_t = Options::default().cache_mib)]
    pub sqlite_cache: u32,

    /// How long one statement may take on PostgreSQL, in seconds
    #[arg(long, env = "STEWARD_STATEMENT_TIMEOUT", global = true,
          default_value_t = Options::default().statement_timeout.as_secs())]
    pub statement_timeout: u64,

    /// From how many milliseconds on a statement is slow: it is counted in /metrics, and logged with its plan
    ///
    /// Without its values, once a minute at most.
    #[arg(long, env = "STEWARD_SLOW_STATEMENT", global = true,
          default_value_t = Options::default().slow_statement.as_millis() as u64,
          value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub slow_statement: u64,

    /// The keys that secrets and answers are encrypted with, as ID:KEY,ID:KEY; the first one writes
    ///
    /// `steward keys new` makes one. Without a key, what must be encrypted is refused.
    #[arg(long, env = "STEWARD_ENCRYPTION_KEYS", hide_env_values = true, global = true)]
    pub encryption_keys: Option<Keyring>,

    /// Where documents are kept: sql: (this database), memory:, couchdb://USER:PASSWORD@HOST:5984/PREFIX (couchdbs://
    /// for TLS), dynamodb://ACCESS_KEY:SECRET_KEY@REGION/TABLE, mongodb://USER:PASSWORD@HOST/DATABASE or
    /// firestore://PROJECT/PREFIX?credentials=FILE
    ///
    /// Without it, in this database. `steward documents copy` moves them.
    #[arg(long, env = "STEWARD_DOCUMENTS_URL", hide_env_values = true, global = true)]
    pub documents_url: Option<DatabaseUrl>,

    /// Where the bytes of files are: a folder, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX
    ///
    /// Without it, a folder beside the file of SQLite, as steward.db.objects; with PostgreSQL, files are refused. A
    /// bucket takes a steward that is built with --features s3, gcs or azure, and the variables that its own programs
    /// have.
    #[arg(long, env = "STEWARD_OBJECTS_URL", global = true)]
    pub objects_url: Option<ObjectsUrl>,

    /// The folder that has the rules of time zones, as /usr/share/zoneinfo; or `bundled`, or `newest`
    ///
    /// Without it, the machine's are taken where they are newer than those in the program. What was written with
    /// other rules, `steward verify --zones` shows.
    #[arg(long, env = "STEWARD_ZONEINFO", default_value = "newest", value_parser = zones,
          global = true)]
    pub zoneinfo: zone::Choice,
}

fn zones(text: &str) -> Result<zone::Choice, std::convert::Infallible> {
    text.parse()
}

/// A URL that may hold a password: it does not show itself.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL, with its password.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The URL without what its password could be in.
    pub fn shown(&self) -> String {
        match self.0.split_once("://") {
            Some((scheme, rest)) if !scheme.starts_with("sqlite") => {
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                format!("{scheme}://{}", host.split('?').next().unwrap_or_default())
            }
            _ => self.0.clone(),
        }
    }
}

impl From<&str> for DatabaseUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// How the log looks.
#[derive(Debug, Clone, Args)]
pub struct Log {
    /// What is logged, as tracing's filters say it: warn, info,sqlx=debug
    #[arg(long, env = "STEWARD_LOG", default_value = "info", global = true)]
    pub log: String,

    /// How a line of the log looks
    #[arg(long, env = "STEWARD_LOG_FORMAT", default_value = "pretty", global = true)]
    pub log_format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Pretty,
    /// For machines: one JSON object a line
    Json,
}

/// What hashing a password costs: never less than what OWASP asks for.
#[derive(Debug, Clone, Args)]
pub struct Hashing {
    /// How much memory hashing a password takes, in MiB
    ///
    /// A higher cost holds for new passwords at once, and for each other one from its next login on.
    #[arg(long, env = "STEWARD_PASSWORD_MEMORY", global = true,
          default_value_t = PasswordCost::default().memory_kib / 1024,
          value_parser = clap::value_parser!(u32).range(19..=1024))]
    pub password_memory: u32,

    /// How many passes over that memory hashing a password takes
    #[arg(long, env = "STEWARD_PASSWORD_ITERATIONS", global = true,
          default_value_t = PasswordCost::default().iterations,
          value_parser = clap::value_parser!(u32).range(2..=20))]
    pub password_iterations: u32,
}

impl Hashing {
    /// The cost.
    pub fn cost(&self) -> PasswordCost {
        PasswordCost {
            memory_kib: self.password_memory * 1024,
            iterations: self.password_iterations,
        }
    }
}

/// How the API is served.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// The address to listen on
    #[arg(long, env = "STEWARD_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The address at which /metrics, /ready?verbose and /v1/operations are, and no longer at that of the API, as
    /// 127.0.0.1:9090
    #[arg(long, env = "STEWARD_OPERATIONS_LISTEN")]
    pub operations_listen: Option<SocketAddr>,

    /// Apply missing migrations first (on SQLite, that is always done)
    #[arg(long, env = "STEWARD_MIGRATE")]
    pub migrate: bool,

    /// Who may register: everybody, those with an invitation, nobody
    #[arg(long, env = "STEWARD_REGISTRATION", default_value = "open")]
    pub registration: RegistrationChoice,

    /// How many threads answer requests; one for each processor if left out
    #[arg(long, env = "STEWARD_WORKERS")]
    pub workers: Option<usize>,

    /// How long a session lasts, in days
    #[arg(long, env = "STEWARD_SESSION_DAYS", default_value_t = 30,
          value_parser = clap::value_parser!(i64).range(1..=3650))]
    pub session_days: i64,

    /// How long access is remembered, in seconds
    ///
    /// What ends over the API is noticed at once by every node. What `steward user` ends is noticed by a server on a
    /// SQLite file after this long.
    #[arg(long, env = "STEWARD_ACCESS_TTL", default_value_t = 10)]
    pub access_ttl: u64,

    /// The Redis in which nodes share what they have computed: redis://USER:PASSWORD@HOST:6379/0, or rediss:// for TLS
    ///
    /// Without it, each node remembers its own. While it does not answer, steward goes on without it.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<DatabaseUrl>,

    /// How much memory of this process holds what was computed, in MiB: with 0, none
    #[arg(long, env = "STEWARD_CACHE_MEMORY", default_value_t = 32,
          value_parser = clap::value_parser!(u64).range(0..=65_536))]
    pub cache_memory: u64,

    /// How long a payout's receiver may take to answer, in seconds
    #[arg(long, env = "STEWARD_PAYOUT_TIMEOUT",
          default_value_t = SagaTimeouts::default().call.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub payout_timeout: u64,

    /// How long a payout is tried before an admin is asked, in seconds
    #[arg(long, env = "STEWARD_PAYOUT_PATIENCE",
          default_value_t = SagaTimeouts::default().step.num_seconds(),
          value_parser = clap::value_parser!(i64).range(0..=31_536_000))]
    pub payout_patience: i64,

    /// How many bytes a body may have
    #[arg(long, env = "STEWARD_BODY_LIMIT", default_value_t = 1024 * 1024)]
    pub body_limit: usize,

    /// How many bytes of bodies are held at once in all; strangers may have an eighth of it
    #[arg(long, env = "STEWARD_BODY_BUDGET", default_value_t = 64 * 1024 * 1024)]
    pub body_budget: usize,

    /// How long a client may take to send a body, or the next part of a file, in seconds
    #[arg(long, env = "STEWARD_BODY_TIMEOUT", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub body_timeout: u64,

    /// How many bytes an uploaded file may have
    #[arg(long, env = "STEWARD_UPLOAD_LIMIT", default_value_t = 64 * 1024 * 1024)]
    pub upload_limit: usize,

    /// How many bytes a file may have that belongs to something, as a receipt
    #[arg(long, env = "STEWARD_ATTACHMENT_MAX_SIZE", default_value_t = 1024 * 1024 * 1024,
          value_parser = clap::value_parser!(u64).range(1..=1_099_511_627_776))]
    pub attachment_max_size: u64,

    /// Which media types such a file may have, as image/*,application/pdf: all, if left out
    #[arg(long, env = "STEWARD_ATTACHMENT_TYPES", default_value = "")]
    pub attachment_types: MediaTypes,

    /// How many bytes all files of an organization may have in all: any number, if left out
    #[arg(long, env = "STEWARD_STORAGE_QUOTA")]
    pub storage_quota: Option<u64>,

    /// How long a client may take to send a request's headers, in seconds
    #[arg(long, env = "STEWARD_HEADER_TIMEOUT", default_value_t = 10)]
    pub header_timeout: u64,

    /// How long a whole request may take, in seconds
    #[arg(long, env = "STEWARD_REQUEST_TIMEOUT", default_value_t = 60)]
    pub request_timeout: u64,

    /// How many streams of events an organization has open at once on this node at most
    #[arg(long, env = "STEWARD_EVENT_STREAMS", default_value_t = 100)]
    pub event_streams: usize,

    /// How often a stream of events gives a sign of life, in seconds
    #[arg(long, env = "STEWARD_EVENT_HEARTBEAT", default_value_t = 15,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub event_heartbeat: u64,

    /// How long a stream of events waits for a client that does not read, in seconds
    #[arg(long, env = "STEWARD_EVENT_STALL", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub event_stall: u64,

    /// How many connections are open at once on each thread at most
    #[arg(long, env = "STEWARD_MAX_CONNECTIONS", default_value_t = 10_000)]
    pub max_connections: usize,

    /// How many connections are open at once from one network at most: an IPv4 address, or the /64 of
    /// an IPv6 address
    #[arg(long, env = "STEWARD_NETWORK_CONNECTIONS", default_value_t = 500)]
    pub network_connections: usize,

    /// How often something may be done.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// The networks of your own reverse proxies, as 10.0.0.0/8,192.168.1.5
    ///
    /// They are believed when they say whom a request comes from (X-Forwarded-For, or else Forwarded).
    #[arg(long, env = "STEWARD_TRUSTED_PROXIES", default_value = "")]
    pub trusted_proxies: TrustedProxies,

    /// The origins whose pages may use the API in a browser (CORS), as
    /// `https://app.example.org,http://localhost:5173`
    ///
    /// Without it, only pages of steward's own origin may.
    #[arg(long, env = "STEWARD_CORS_ORIGIN", default_value = "")]
    pub cors_origin: Origins,

    /// Networks and hosts of your own that webhooks and payouts may reach, as
    /// 192.168.1.0/24,printer.local
    ///
    /// Without it, only addresses of the public internet are reached.
    #[arg(long, env = "STEWARD_OUTBOUND_ALLOW", default_value = "")]
    pub outbound_allow: Allow,

    /// How long a webhook's endpoint may take to answer, in seconds
    #[arg(long, env = "STEWARD_WEBHOOK_TIMEOUT",
          default_value_t = webhook::Settings::default().timeout.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=300))]
    pub webhook_timeout: u64,

    /// How many seconds to wait before each attempt to deliver to a webhook, as 0,5,300
    ///
    /// Without it, ten attempts in 75 hours.
    #[arg(long, env = "STEWARD_WEBHOOK_RETRIES")]
    pub webhook_retries: Option<Retries>,

    /// How long a stop goes on taking connections, for load balancers to notice, in seconds
    #[arg(long, env = "STEWARD_SHUTDOWN_DELAY", default_value_t = 1)]
    pub shutdown_delay: u64,

    /// How long a stop waits for requests under way, in seconds
    #[arg(long, env = "STEWARD_SHUTDOWN_TIMEOUT", default_value_t = 30)]
    pub shutdown_timeout: u64,
}

/// The networks of proxies that are believed when they say whom a request comes from.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether that is one.
    pub fn contains(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        self.0.iter().any(|network| network.contains(&plain))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| {
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            let network = part.parse::<IpNet>().or_else(|_| address());
            network.map_err(|_| format!("{part:?} is no network as in 10.0.0.0/8"))
        };
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }
}

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RegistrationChoice {
    /// Everybody
    Open,
    /// Those who hold an invitation, and the first user
    Invite,
    /// Nobody
    Closed,
}

impl From<RegistrationChoice> for Registration {
    fn from(choice: RegistrationChoice) -> Self {
        match choice {
            RegistrationChoice::Open => Self::Open,
            RegistrationChoice::Invite => Self::Invite,
            RegistrationChoice::Closed => Self::Closed,
        }
    }
}

/// What the app needs to know of all that.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may register.
    pub registration: Registration,
    /// What hashing a password costs.
    pub password_cost: PasswordCost,
    /// How long a session lasts.
    pub session_lifetime: chrono::TimeDelta,
    /// How long access is remembered.
    pub access_ttl: Duration,
    /// What nodes share besides the database.
    pub redis_url: Option<DatabaseUrl>,
    /// How many bytes of memory hold what was computed.
    pub cache_bytes: u64,
    /// How long sagas wait.
    pub saga_timeouts: SagaTimeouts,
    /// How much a client may ask for.
    pub limits: Limits,
    /// Which files are taken.
    pub attachments: AttachmentSettings,
    /// How often a client may do something.
    pub rates: LimitSettings,
    /// How streams of events are held.
    pub streams: StreamLimits,
    /// Who is believed when they say whom a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// The origins whose pages may read answers.
    pub cors_origins: Origins,
    /// What of the operator's own network users may reach.
    pub outbound_allow: Allow,
    /// How webhooks are sent.
    pub webhooks: webhook::Settings,
}

/// Which files are taken.
#[derive(Debug, Clone)]
pub struct AttachmentSettings {
    /// How many bytes one may have.
    pub max_size: u64,
    /// Of which types it may be.
    pub types: MediaTypes,
    /// How many bytes all of an organization may have.
    pub quota: Option<u64>,
}

/// How much a client may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many bytes a body may have.
    pub body_bytes: usize,
    /// How many bytes of bodies are held in all.
    pub body_budget: usize,
    /// How long a body may take, or the next part of a file.
    pub body_timeout: Duration,
    /// How many connections one network may have.
    pub network_connections: usize,
    /// How many bytes an uploaded file may have.
    pub upload_bytes: usize,
    /// How long a whole request may take.
    pub request_timeout: Duration,
}

impl Default for Settings {
    /// What a command line without flags says, whatever the environment.
    fn default() -> Self {
        Self::new(&defaults(), &defaults())
    }
}

/// What flags are where neither the command line nor the environment has them.
fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("steward"));
    let command = command.mut_args(|arg| arg.env(None::<&'static str>));
    let matches = command.get_matches_from(["steward"]);
    T::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

impl Settings {
    /// What the command line says.
    pub fn new(hashing: &Hashing, serve: &Serve) -> Self {
        Self {
            registration: serve.registration.into(),
            password_cost: hashing.cost(),
            session_lifetime: chrono::TimeDelta::days(serve.session_days),
            access_ttl: Duration::from_secs(serve.access_ttl),
            redis_url: serve.redis_url.clone(),
            cache_bytes: serve.cache_memory * 1024 * 1024,
            saga_timeouts: SagaTimeouts {
                call: Duration::from_secs(serve.payout_timeout),
                step: chrono::TimeDelta::seconds(serve.payout_patience),
            },
            limits: Limits {
                body_bytes: serve.body_limit,
                body_budget: serve.body_budget,
                body_timeout: Duration::from_secs(serve.body_timeout),
                network_connections: serve.network_connections,
                upload_bytes: serve.upload_limit,
                request_timeout: Duration::from_secs(serve.request_timeout),
            },
            attachments: AttachmentSettings {
                max_size: serve.attachment_max_size,
                types: serve.attachment_types.clone(),
                quota: serve.storage_quota,
            },
            rates: serve.limits,
            streams: StreamLimits {
                for_each_organization: serve.event_streams,
                heartbeat: Duration::from_secs(serve.event_heartbeat),
                stall: Duration::from_secs(serve.event_stall),
            },
            trusted_proxies: serve.trusted_proxies.clone(),
            cors_origins: serve.cors_origin.clone(),
            outbound_allow: serve.outbound_allow.clone(),
            webhooks: webhook::Settings {
                retries: serve.webhook_retries.clone().unwrap_or_default(),
                timeout: Duration::from_secs(serve.webhook_timeout),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    #[test]
    fn a_database_url_does_not_show_its_password() {
        let url = DatabaseUrl::from("postgres://steward:s3cr3t@db/steward?password=s3cr3t");
        assert_eq!(format!("{url:?}"), "postgres://db/steward");
        assert_eq!(DatabaseUrl::from("sqlite://steward.db").shown(), "sqlite://steward.db");
        let redis = DatabaseUrl::from("rediss://:s3cr3t@cache:6380/1");
        assert_eq!(format!("{redis:?}"), "rediss://cache:6380/1");
    }

    #[test]
    fn the_cost_of_passwords_can_be_raised_and_not_lowered() {
        let cost = |flags: &[&str]| {
            let command = Hashing::augment_args(clap::Command::new("steward"));
            let matches = command.try_get_matches_from([&["steward"], flags].concat()).ok()?;
            Some(Hashing::from_arg_matches(&matches).ok()?.cost())
        };
        assert_eq!(cost(&[]), Some(PasswordCost::default()));
        let raised = PasswordCost { memory_kib: 64 * 1024, iterations: 3 };
        assert_eq!(cost(&["--password-memory=64", "--password-iterations=3"]), Some(raised));
        for lower in ["--password-memory=18", "--password-iterations=1"] {
            assert_eq!(cost(&[lower]), None, "{lower}");
        }
    }
}
