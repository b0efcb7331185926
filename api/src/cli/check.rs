use std::process::ExitCode;

use service::zone;

use super::{CliError, connect, missing_migrations, url};
use crate::config::{Database, Log, Serve};

pub(super) async fn run(
    database: &Database,
    log: &Log,
    serve: &Serve,
) -> Result<ExitCode, CliError> {
    println!("configuration  {log:?}");
    println!("               {serve:?}");
    let zones = zone::installed();
    println!("time zones     {zones}");
    if zones.is_older_than_bundled() {
        let bundled = zone::Database::bundled_version();
        println!("               older than those in steward, which are {bundled}");
    }
    println!("database       {}", url(database).shown());
    let store = match connect(database).await {
        Ok(store) => store,
        Err(error) => {
            println!("connection     failed: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    if let Err(error) = store.ping().await {
        println!("connection     failed: {error}");
        return Ok(ExitCode::FAILURE);
    }
    println!("connection     ok, {}", store.engine().as_str());
    let missing = missing_migrations(&store).await?;
    store.close().await?;
    if missing.is_empty() {
        println!("schema         up to date");
        return Ok(ExitCode::SUCCESS);
    }
    println!("schema         outdated: {} missing; run `steward migrate up`", missing.join(", "));
    Ok(ExitCode::FAILURE)
}
