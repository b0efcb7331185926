use std::process::ExitCode;

#[cfg(unix)]
use sd_notify::NotifyState;
use service::{Store, background::Background, catalogue::CONSUMERS, store::Engine, zone};

use super::{CliError, connect_to_serve, missing_migrations, start_log, url};
use crate::{
    app::{self, Listeners},
    config::{Database, Hashing, Log, Serve, Settings},
    otlp::Telemetry,
    prometheus,
    shutdown::Shutdown,
    state::State,
};

pub(super) async fn run(
    database: &Database,
    log: &Log,
    hashing: &Hashing,
    serve: &Serve,
) -> Result<ExitCode, CliError> {
    let telemetry = Telemetry::start()?;
    start_log(log, &telemetry)?;
    telemetry.announce();
    let served = serve_until_stopped(database, hashing, serve, &telemetry).await;
    telemetry.stop().await;
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve_until_stopped(
    database: &Database,
    hashing: &Hashing,
    serve: &Serve,
    telemetry: &Telemetry,
) -> Result<(), CliError> {
    install_zones(database)?;
    let store = connect_to_serve(database).await?;
    prepare_schema(&store, serve.migrate).await?;
    log_place(database)?;
    let listeners = Listeners::bind(serve)?;
    let (address, operations) = (listeners.api_address()?, listeners.operations_address()?);
    let state = State::new(store.clone(), Settings::new(hashing, serve))?;
    if let Some(redis) = &state.redis
        && let Err(error) = redis.ping().await
    {
        tracing::warn!(%error, "Redis does not answer: steward serves without it");
    }
    let background = Background::start(&state.workers(CONSUMERS));
    let (server, shutdown) = app::server(state.clone(), listeners, serve)?;
    telemetry.measure(&state);
    let serving = tokio::spawn(server);
    let upkeep = tokio::spawn(prometheus::upkeep());
    tracing::info!("the API is at http://{address}/v1");
    tracing::info!("its documentation is at http://{address}/docs/");
    if let Some(address) = operations {
        tracing::info!("its metrics are at http://{address}/metrics");
    }
    stop_when_asked(&shutdown).await?;
    serving.await??;
    upkeep.abort();
    background.stop().await;
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Tells systemd, where it has started this process and waits to hear of it (`Type=notify`).
#[cfg(unix)]
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// Says where the data is.
fn log_place(database: &Database) -> std::io::Result<()> {
    let place = url(database).shown();
    match database.database_url {
        Some(_) => tracing::info!("the data is in {place}"),
        None => {
            let folder = std::env::current_dir()?;
            tracing::info!(
                "the data is in {place} in {}: DATABASE_URL is not set",
                folder.display()
            );
        }
    }
    Ok(())
}

fn install_zones(database: &Database) -> Result<(), CliError> {
    let zones = zone::install(&database.zoneinfo)?;
    let (version, source) = (zones.version().unwrap_or("unknown"), zones.source());
    tracing::debug!(version, %source, "the rules of time zones");
    if zones.is_older_than_bundled() {
        let bundled = zone::Database::bundled_version();
        tracing::warn!(version, bundled, "the rules of time zones are older than those in steward");
    }
    Ok(())
}

/// Stops on SIGTERM, once all is answered; at once on SIGINT, and on whatever comes meanwhile.
async fn stop_when_asked(shutdown: &Shutdown) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut quit = signal(SignalKind::quit())?;
        tell_systemd(NotifyState::Ready);
        tokio::select! {
            _ = terminate.recv() => {
                tell_systemd(NotifyState::Stopping);
                tracing::info!("stopping: what is under way is finished");
            }
            _ = interrupt.recv() => {
                shutdown.at_once().await;
                return Ok(());
            }
            _ = quit.recv() => {
                shutdown.at_once().await;
                return Ok(());
            }
        }
        tokio::select! {
            () = shutdown.gracefully() => {}
            _ = terminate.recv() => shutdown.at_once().await,
            _ = interrupt.recv() => shutdown.at_once().await,
            _ = quit.recv() => shutdown.at_once().await,
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await?;
        shutdown.at_once().await;
    }
    Ok(())
}

/// A SQLite file is this process' own and brought up at once. A PostgreSQL database may be shared
/// with nodes of another release: it is touched only on request.
async fn prepare_schema(store: &Store, migrate: bool) -> Result<(), CliError> {
    if migrate || store.engine() == Engine::Sqlite {
        let before = store.migrations().await?;
        store.migrate().await?;
        let missing = before.iter().filter(|(_, applied)| !applied).count();
        // Of a database that is new, nobody asks which it had.
        if (1..before.len()).contains(&missing) {
            tracing::info!("{missing} migrations were applied");
        }
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
