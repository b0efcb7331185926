//! The `steward` command.

use std::process::ExitCode;

use api::cli::{Cli, print};
use mimalloc::MiMalloc;

/// What is freed goes back to the system: the C library's keeps the memory of each password that was hashed, once
/// for each thread that has hashed one.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    match Cli::read().run().await {
        Ok(code) => code,
        Err(error) => {
            print::err(format_args!("steward: {error}"));
            ExitCode::FAILURE
        }
    }
}
