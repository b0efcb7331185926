//! sea-orm-cli as it is, of the versions of this workspace: `just entities` runs it.

#[tokio::main]
async fn main() {
    sea_orm_cli::main().await;
}
