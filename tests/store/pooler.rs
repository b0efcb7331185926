//! PostgreSQL behind PgBouncer in transaction mode, which drops a session's settings: nothing is
//! wrong in silence.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use serde_json::json;
use service::{
    Store,
    catalogue::CATALOGUE,
    store::{ConnectError, Engine, Options},
};
use tempfile::TempDir;
use tests::{App, AppOptions, Database, database::execute, on_postgresql};
use tokio::net::TcpStream;
use url::Url;

/// A pooler of its own before one database.
struct Pooler {
    process: Child,
    url: String,
    keeps_prepared_statements: bool,
    _folder: TempDir,
}

impl Pooler {
    async fn start(program: &str, database: &Url) -> Self {
        let keeps_prepared_statements = version(program) >= (1, 21);
        let folder = tempfile::tempdir().expect("a folder");
        // It does not run as root, and gives itself another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("readable");
        let port =
            TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
        let path = folder.path().join("pgbouncer.ini");
        fs::write(&path, settings(database, port, keeps_prepared_statements)).expect("settings");
        let mut command = Command::new(program);
        if is_root() {
            command.args(["-u", "nobody"]);
        }
        command.arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("PgBouncer starts");
        let mut url = database.clone();
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        let pooler = Self { process, url: url.into(), keeps_prepared_statements, _folder: folder };
        let listening = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), listening).await.expect("PgBouncer listens");
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_root() -> bool {
    let owner = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own));
    owner.is_ok_and(|uid| uid == 0)
}

fn version(program: &str) -> (u32, u32) {
    let said = Command::new(program).arg("--version").output().expect("PgBouncer is there");
    let said = String::from_utf8(said.stdout).expect("text");
    let number = said.lines().next().and_then(|line| line.split_once(' ')).expect("a version").1;
    let mut parts = number.split('.').map(|part| part.parse().expect("a number"));
    (parts.next().expect("a major"), parts.next().expect("a minor"))
}

fn settings(database: &Url, port: u16, keeps_prepared_statements: bool) -> String {
    let name = Path::new(database.path()).file_name().expect("a name").to_str().expect("text");
    let password = database.password().map(|it| format!("password={it}")).unwrap_or_default();
    let prepared = if keeps_prepared_statements { "max_prepared_statements = 200" } else { "" };
    format!(
        "[databases]\n{name} = host={} port={} dbname={name} user={} {password}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\n\
         ignore_startup_parameters = options,extra_float_digits\n{prepared}\n",
        database.host_str().expect("a host"),
        database.port().unwrap_or(5432),
        database.username(),
    )
}

async fn refusal(url: &str, direct_url: Option<&str>) -> String {
    let direct_url = direct_url.map(str::to_owned);
    let options = Options { direct_url, ..Options::default() };
    let refused = Store::connect(url, options, &CATALOGUE).await;
    match refused.expect_err("it is refused") {
        ConnectError::Session(why) => why,
        other => panic!("{other}"),
    }
}

#[on_postgresql(flavor = "multi_thread")]
async fn behind_a_pooler_all_holds_or_nothing_is_served(database: Database) {
    let Ok(program) = env::var("TEST_PGBOUNCER") else {
        assert!(env::var_os("CI").is_none(), "CI sets TEST_PGBOUNCER");
        return;
    };
    let direct = Url::parse(&database.url).expect("a URL");
    let name = direct.path().trim_start_matches('/').to_owned();
    let pooler = Pooler::start(&program, &direct).await;
    let timeouts = refusal(&pooler.url, None).await;
    assert!(timeouts.contains("statement_timeout is 0"), "{timeouts}");
    for (setting, value) in [
        ("statement_timeout", "2s"),
        ("lock_timeout", "1s"),
        ("idle_in_transaction_session_timeout", "2s"),
    ] {
        execute(&database.url, &format!("ALTER DATABASE {name} SET {setting} = '{value}'")).await;
    }
    // The pooler's own sessions are older than that.
    drop(pooler);
    let pooler = Pooler::start(&program, &direct).await;
    if !pooler.keeps_prepared_statements {
        let old = refusal(&pooler.url, Some(&database.url)).await;
        assert!(old.contains("PgBouncer does from 1.21 on"), "{old}");
        assert!(old.contains("that of Debian 12 is 1.18"), "{old}");
        eprintln!("this PgBouncer is too old to serve through: only refusals are tried");
        return;
    }
    let no_direct_url = refusal(&pooler.url, None).await;
    assert!(no_direct_url.contains("set DATABASE_DIRECT_URL"), "{no_direct_url}");
    let not_direct = refusal(&pooler.url, Some(&pooler.url)).await;
    assert!(not_direct.contains("DATABASE_DIRECT_URL leads through a pooler"), "{not_direct}");
    serve_through(&pooler, &database).await;
}

/// Of two writes that read what the other writes, one runs again: each sees one state of the database.
async fn conflicts_are_noticed(store: &Store) {
    let count = Arc::new(AtomicU32::default());
    let work = |store: Store, count: Arc<AtomicU32>| async move {
        let written = store.write(async move |tx| {
            count.fetch_add(1, Ordering::SeqCst);
            let sql = "UPDATE lease SET term = term + 1 WHERE work = 'pooler'";
            tx.execute_unprepared("SELECT count(*) FROM lease").await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
            Ok(tx.execute_unprepared(sql).await?)
        });
        written.await.expect("it is written in the end");
    };
    let row = "INSERT INTO lease (work, holder, term) VALUES ('pooler', gen_random_uuid(), 1)";
    store.read().execute_unprepared(row).await.expect("a row");
    tokio::join!(work(store.clone(), count.clone()), work(store.clone(), count.clone()));
    assert!(count.load(Ordering::SeqCst) > 2, "one has run again");
    let gone = "DELETE FROM lease WHERE work = 'pooler'";
    store.read().execute_unprepared(gone).await.expect("no row");
}

/// The role's limits end what takes too long: a statement, a wait for a lock, and a transaction in which nothing
/// happens.
async fn limits_are_in_force(store: &Store, direct_url: &str) {
    let begun = Instant::now();
    let ended = async |sql: &'static str, idle: u64| {
        let ended = store.write(async move |tx| {
            tx.execute_unprepared(sql).await?;
            tokio::time::sleep(Duration::from_secs(idle)).await;
            Ok(())
        });
        ended.await.expect_err("it is ended").to_string()
    };
    let statement = ended("SELECT pg_sleep(30)", 0).await;
    assert!(statement.contains("57014"), "{statement}");
    let holder: DatabaseConnection = sea_orm::Database::connect(direct_url).await.expect("there");
    let held = holder.begin().await.expect("a transaction");
    held.execute_unprepared("LOCK TABLE lease").await.expect("a lock");
    let lock = ended("LOCK TABLE lease", 0).await;
    assert!(lock.contains("55P03"), "{lock}");
    held.rollback().await.expect("released");
    holder.close().await.expect("closed");
    let idle = ended("SELECT 1", 4).await;
    assert!(!idle.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
}

/// Two nodes behind the pooler: changes that meet, and a revocation that crosses.
async fn serve_through(pooler: &Pooler, database: &Database) {
    let through = Database { engine: Engine::Postgres, url: pooler.url.clone() };
    let options = || AppOptions {
        store: Options { direct_url: Some(database.url.clone()), ..Options::default() },
        background: true,
        ..AppOptions::default()
    };
    let app = App::start_with(&through, options()).await;
    let other = App::start_with(&through, options()).await;
    let level = app.store.write(async move |tx| {
        let show = "SELECT current_setting('transaction_isolation')";
        let show = Statement::from_string(tx.get_database_backend(), show);
        let row = tx.query_one_raw(show).await?.expect("a row");
        Ok(row.try_get_by::<String, _>(0)?)
    });
    assert_eq!(level.await.expect("a level"), "repeatable read");
    conflicts_are_noticed(&app.store).await;
    limits_are_in_force(&app.store, &database.url).await;
    // The lock of the schema waits for as long as it must, on the way around the pooler.
    let (one, another) = tokio::join!(app.store.migrate(), other.store.migrate());
    one.and(another).expect("the schema is as it was");
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let made = ada.make(&expenses, json!({ "spent_on": "2026-11-01", "amount_minor": 1 })).await;
    let path = format!("{expenses}/{}", tests::id(&made));
    let writers = (0..8).map(|writer| {
        let (client, path) = (ada.at([&app.base, &other.base][writer % 2]), path.clone());
        tokio::spawn(async move {
            let mut done = 0;
            while done < 20 {
                let now = client.read(&path).await;
                let amount = now["amount_minor"].as_i64().expect("an amount") + 1;
                let change = json!({ "version": now["version"], "amount_minor": amount });
                match client.patch(&path, change).await.status.as_u16() {
                    200 => done += 1,
                    409 | 503 => {}
                    status => panic!("{status}"),
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer ends");
    }
    assert_eq!(ada.read(&path).await["amount_minor"], 161);
    let elsewhere = ada.at(&other.base);
    elsewhere.read(&path).await;
    ada.delete("/v1/sessions/current").await.expect(204);
    tests::log::wait_until("the other node hears of it", async || {
        elsewhere.get(&path).await.status == 401
    })
    .await;
    app.stop().await;
    other.stop().await;
}
