//! The `steward` command.

use std::process::ExitCode;

use api::cli::Cli;
use clap::Parser;

#[actix_web::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("steward: {error}");
            ExitCode::FAILURE
        }
    }
}
