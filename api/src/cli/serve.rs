use std::{net::TcpListener, process::ExitCode};

use service::{Store, background::Background, store::Engine, zone};

use super::{CliError, connect_to_serve, missing_migrations, start_log, url};
use crate::{
    app,
    config::{Database, Log, Serve, Settings},
    state::State,
    stream::Streams,
};

pub(super) async fn run(
    database: &Database,
    log: &Log,
    serve: &Serve,
) -> Result<ExitCode, CliError> {
    start_log(log)?;
    install_zones(database)?;
    if database.database_url.is_none() {
        tracing::warn!("DATABASE_URL is not set: the data is in steward.db, here");
    }
    let store = connect_to_serve(database).await?;
    prepare_schema(&store, serve.migrate).await?;
    let listener = TcpListener::bind(serve.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", serve.listen))?;
    let address = listener.local_addr()?;
    let state = State::new(store.clone(), Settings::from(serve))?;
    let background = Background::start(&state.context());
    tokio::spawn(end_streams(state.streams.clone()));
    let server = app::server(state, listener, serve)?;
    tracing::info!(database = %url(database).shown(), "the API is at http://{address}/v1");
    tracing::info!("its documentation is at http://{address}/docs/");
    server.await?;
    background.stop().await;
    store.close().await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn install_zones(database: &Database) -> Result<(), CliError> {
    let zones = zone::install(&database.zoneinfo)?;
    let (version, source) = (zones.version().unwrap_or("unknown"), zones.source());
    tracing::info!(version, %source, "the rules of time zones");
    if zones.is_older_than_bundled() {
        let bundled = zone::Database::bundled_version();
        tracing::warn!(version, bundled, "the rules of time zones are older than those in steward");
    }
    Ok(())
}

/// A graceful stop waits for answers under way, so the streams end when it begins.
async fn end_streams(streams: Streams) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Another handler of the same signal; the server has its own.
        if let Ok(mut stop) = signal(SignalKind::terminate()) {
            stop.recv().await;
            streams.end();
        }
    }
    #[cfg(not(unix))]
    drop(streams);
}

/// A SQLite file is this process' own and brought up at once. A PostgreSQL database may be shared
/// with nodes of another release: it is touched only on request.
async fn prepare_schema(store: &Store, migrate: bool) -> Result<(), CliError> {
    if migrate || store.engine() == Engine::Sqlite {
        store.migrate().await?;
        return Ok(());
    }
    let missing = missing_migrations(store).await?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the database's schema is outdated: {} missing. Run `steward migrate up`, or serve with \
         --migrate",
        missing.join(", ")
    )
    .into())
}
