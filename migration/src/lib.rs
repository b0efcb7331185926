//! The migrations of steward's schema.
//!
//! # Promises
//!
//! - A migration has `up` and `down`, and a test takes each of them both ways on SQLite and on
//!   PostgreSQL.
//! - The schema means the same on both databases: migrations are written in the words of [`columns`].
//! - A released migration is never edited. A change that older code could not live with is made in
//!   three releases: expand, deploy, contract (docs/architecture.md).
//! - Each column is public, personal or secret ([`CLASSES`]), and a test compares that with the schema.
//!
//! # Modules
//!
//! | module | content |
//! |---|---|
//! | `mYYYYMMDD_NNNNNN_what_it_does` | one migration each; [`Migrator`] has them in their order |
//! | [`columns`] | the types of columns, keys, references and indexes that migrations use |
//! | [`classes`] | the class of each column |
//!
//! `steward migrate up|down|status` runs them. The program `migration` of this crate does the same by
//! itself, for `sea-orm-cli` and for `just entities`.
//!
//! # Where to begin
//!
//! A new migration is a file, a `mod` and a line in [`Migrator`], and a line for each of its columns in
//! `classes.rs`. CONTRIBUTING.md lists what follows from it.

mod classes;
mod columns;
mod m20261121_000001_create_identity;
mod m20261121_000002_create_money;
mod m20261121_000003_create_log;
mod m20261121_000004_create_idempotency_keys;
mod m20261121_000006_create_reactions;
mod m20261121_000007_create_webhooks;
mod m20261121_000008_create_ledger;
mod m20261121_000009_create_sagas;
mod m20261121_000010_create_work;
mod m20261121_000011_name_projects_of_expenses;
mod m20261121_000012_create_rates;
mod m20261121_000013_create_daily_reports;
mod m20261121_000014_create_incidents;
mod m20261121_000015_create_offboarding;
mod m20261125_000016_say_who_made_what;
mod m20261125_000017_let_users_be_disabled;
mod m20261125_000019_count_terms_alone;
mod m20261125_000020_create_imports;
mod m20261125_000021_remove_in_parts;
mod m20261125_000022_index_projects_of_expenses;
mod m20261128_000023_index_filters;
mod m20261128_000024_create_spending_totals;
mod m20261129_000025_rename_changed_events;
mod m20261129_000030_keep_what_was_imported;
mod m20261129_000031_compare_texts_in_nfc;
mod m20261129_000032_give_rates_a_currency;
mod m20261129_000040_index_expenses_of_no_project;
mod m20261129_000041_let_lines_be_negative;
mod m20261129_000042_place_expenses;
mod m20261129_000050_keep_budget_amounts;
mod m20261129_000063_limit_api_keys;
mod m20261129_000067_count_revocations;
mod m20261129_000075_create_documents;
mod m20261129_000076_scope_events;
mod m20261129_000080_index_documents;
mod m20261129_000088_create_document_revisions;
mod m20261129_000093_seal_documents;
mod m20261129_000094_create_document_intents;
mod m20261130_000098_begin_revisions_late;
mod m20261130_000099_attach_to_documents;
mod m20261130_000102_create_attachments;
mod m20261130_000111_create_meters;
mod m20261130_000120_name_sources_of_meters;
mod m20261130_000121_count_attachments_of_documents;

pub use classes::{CLASSES, Class, TableClasses};
use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{Migration, prelude::MigratorTrait};

/// Every change of the schema, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_create_identity::Migration),
            Box::new(m20261121_000002_create_money::Migration),
            Box::new(m20261121_000003_create_log::Migration),
            Box::new(m20261121_000004_create_idempotency_keys::Migration),
            Box::new(m20261121_000006_create_reactions::Migration),
            Box::new(m20261121_000007_create_webhooks::Migration),
            Box::new(m20261121_000008_create_ledger::Migration),
            Box::new(m20261121_000009_create_sagas::Migration),
            Box::new(m20261121_000010_create_work::Migration),
            Box::new(m20261121_000011_name_projects_of_expenses::Migration),
            Box::new(m20261121_000012_create_rates::Migration),
            Box::new(m20261121_000013_create_daily_reports::Migration),
            Box::new(m20261121_000014_create_incidents::Migration),
            Box::new(m20261121_000015_create_offboarding::Migration),
            Box::new(m20261125_000016_say_who_made_what::Migration),
            Box::new(m20261125_000017_let_users_be_disabled::Migration),
            Box::new(m20261125_000019_count_terms_alone::Migration),
            Box::new(m20261125_000020_create_imports::Migration),
            Box::new(m20261125_000021_remove_in_parts::Migration),
            Box::new(m20261125_000022_index_projects_of_expenses::Migration),
            Box::new(m20261128_000023_index_filters::Migration),
            Box::new(m20261128_000024_create_spending_totals::Migration),
            Box::new(m20261129_000025_rename_changed_events::Migration),
            Box::new(m20261129_000030_keep_what_was_imported::Migration),
            Box::new(m20261129_000031_compare_texts_in_nfc::Migration),
            Box::new(m20261129_000032_give_rates_a_currency::Migration),
            Box::new(m20261129_000040_index_expenses_of_no_project::Migration),
            Box::new(m20261129_000041_let_lines_be_negative::Migration),
            Box::new(m20261129_000042_place_expenses::Migration),
            Box::new(m20261129_000050_keep_budget_amounts::Migration),
            Box::new(m20261129_000063_limit_api_keys::Migration),
            Box::new(m20261129_000067_count_revocations::Migration),
            Box::new(m20261129_000075_create_documents::Migration),
            Box::new(m20261129_000076_scope_events::Migration),
            Box::new(m20261129_000080_index_documents::Migration),
            Box::new(m20261129_000093_seal_documents::Migration),
            Box::new(m20261129_000088_create_document_revisions::Migration),
            Box::new(m20261129_000094_create_document_intents::Migration),
            Box::new(m20261130_000098_begin_revisions_late::Migration),
            Box::new(m20261130_000099_attach_to_documents::Migration),
            Box::new(m20261130_000102_create_attachments::Migration),
            Box::new(m20261130_000111_create_meters::Migration),
            Box::new(m20261130_000120_name_sources_of_meters::Migration),
            Box::new(m20261130_000121_count_attachments_of_documents::Migration),
        ]
    }
}
