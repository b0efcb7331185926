use std::process::ExitCode;

use chrono::TimeDelta;
use service::{
    Store, document::engine::CollectionId, event::verify::from_the_future, redis::Redis,
    store::ReplicaStatus, zone,
};
use uuid::Uuid;

use super::{CliError, connect_to_check, location, missing_migrations, print::out, url};
use crate::{
    config::{Database, Serve},
    otlp,
};

pub(super) async fn run(
    database: &Database,
    serve: &Serve,
    settings: &[String],
) -> Result<ExitCode, CliError> {
    for (n, setting) in settings.iter().enumerate() {
        out!("{:<14} {setting}", if n == 0 { "configuration" } else { "" });
    }
    let zones = zone::installed();
    out!("time zones     {zones}");
    if zones.is_older_than_bundled() {
        let bundled = zone::Database::bundled_version();
        out!("               older than those in steward, which are {bundled}");
    }
    match otlp::shown() {
        Ok(lines) => lines.iter().for_each(|line| out!("telemetry      {line}")),
        Err(why) => {
            out!("telemetry      failed: {why}");
            return Ok(ExitCode::FAILURE);
        }
    }
    let redis_is_right = check_redis(serve).await;
    out!("database       {}", url(database).shown());
    let store = match connect_to_check(database).await {
        Ok(store) => store,
        Err(error) => {
            out!("connection     failed: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    if let Err(error) = store.ping().await {
        out!("connection     failed: {error}");
        return Ok(ExitCode::FAILURE);
    }
    out!("connection     ok, {}", store.engine().as_str());
    show_replica(&store).await;
    let documents_are_right = check_documents(database).await?;
    let missing = missing_migrations(&store).await?;
    if missing.is_empty() {
        check_clock(&store).await?;
    }
    store.close().await?;
    if missing.is_empty() {
        out!("schema         up to date");
        return Ok(if redis_is_right && documents_are_right {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    out!("schema         outdated: {} missing; run `steward migrate up`", missing.join(", "));
    Ok(ExitCode::FAILURE)
}

/// Says how the replica is, if there is to be one. Without it, the primary does its work.
async fn show_replica(store: &Store) {
    match store.replica_status().await {
        None => {}
        Some(ReplicaStatus { is_up: false, .. }) => {
            out!("replica        WARNING: it does not serve: the primary answers its reads");
        }
        Some(ReplicaStatus { lag_bytes, .. }) => match lag_bytes {
            Some(bytes) => out!("replica        ok, {bytes} bytes behind"),
            None => out!("replica        ok"),
        },
    }
}

/// Says whether the store of documents answers, if it is another one.
async fn check_documents(database: &Database) -> Result<bool, CliError> {
    let location = location(database)?;
    let Some(engine) = location.engine() else { return Ok(true) };
    // No organization has these ids.
    let nowhere = CollectionId { organization_id: Uuid::nil(), collection_id: Uuid::nil() };
    let answered = engine.get(nowhere, "check").await;
    match &answered {
        Ok(_) => out!("documents      ok, {location}"),
        Err(error) => out!("documents      failed: {location}: {error}"),
    }
    Ok(answered.is_ok())
}

/// Says whether Redis answers, if there is to be one.
async fn check_redis(serve: &Serve) -> bool {
    let Some(url) = &serve.redis_url else { return true };
    let answered = match Redis::new(url.reveal()) {
        Ok(redis) => redis.ping().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match &answered {
        Ok(()) => out!("redis          ok, {}", url.shown()),
        Err(error) => out!("redis          failed: {error}"),
    }
    answered.is_ok()
}

/// By how much clocks may differ without a word.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// Says where clocks differ. It is a warning: steward works all the same, but tells wrong times.
async fn check_clock(store: &Store) -> Result<(), CliError> {
    let ahead = store.clock_ahead().await?;
    let mut right = true;
    if ahead.abs() > TOLERANCE {
        let (seconds, how) = (
            ahead.abs().num_seconds(),
            if ahead > TimeDelta::zero() { "ahead of" } else { "behind" },
        );
        out!("clock          WARNING: the database's is {seconds} s {how} this machine's");
        right = false;
    }
    if let Some(ahead) = from_the_future(store).await?.filter(|ahead| *ahead > TOLERANCE) {
        let seconds = ahead.num_seconds();
        out!("clock          WARNING: what was done last was done {seconds} s later than now");
        right = false;
    }
    if right {
        out!("clock          ok");
    }
    Ok(())
}
