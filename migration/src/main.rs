//! The migrations on their own, as `sea-orm-cli migrate` runs them.

use sea_orm_migration::prelude::*;

#[tokio::main]
async fn main() {
    cli::run_cli(migration::Migrator).await;
}
