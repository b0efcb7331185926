use std::process::ExitCode;

use clap::Args;
use service::{
    Store, attachment, document, event,
    meter::reading,
    money::{expense::spending, journal_entry},
    work::redating::{self, Difference, Outcome, Summary},
    zone,
};

use super::{CliError, connect, missing_migrations, print::out};
use crate::config::Database;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Instead, show what was written with other rules of time zones than today's
    ///
    /// Days of entries of time, and when tasks of a series are due. Works while the server runs, which is to have the
    /// same time zones: restart it first.
    #[arg(long)]
    zones: bool,
    /// Write those anew, each as a change by the operator; what is locked stays as it is
    #[arg(long, requires = "zones")]
    redate: bool,
    /// Make totals of spending anew that are wrong, and remove files that nothing names and that are older than an hour
    #[arg(long, conflicts_with = "zones")]
    repair: bool,
}

pub(super) async fn run(database: &Database, args: VerifyArgs) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    let missing = missing_migrations(&store).await?;
    if !missing.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    if args.zones {
        let code = verify_zones(&store, args.redate).await?;
        store.close().await?;
        return Ok(code);
    }
    let mut found = Vec::new();
    for log in event::verify::verify(&store).await? {
        let what = format!("log of {}", log.organization_id);
        let mut holds = format!("{} events hold", log.events);
        if log.undecryptable > 0 {
            holds += &format!(" (of {}, what is sealed has no key here)", log.undecryptable);
        }
        if log.unsequenced > 0 {
            holds += &format!(", {} wait for a position", log.unsequenced);
        }
        found.push((what, holds, log.faults));
    }
    for ledger in journal_entry::verify::verify(&store).await? {
        let what = format!("ledger of {}", ledger.organization_id);
        found.push((what, format!("{} accounts hold", ledger.accounts), ledger.faults));
    }
    for sums in spending::verify::verify(&store).await? {
        let what = format!("spending of {}", sums.organization_id);
        let mut holds = format!("{} totals hold", sums.totals);
        let mut faults = sums.faults;
        if args.repair && !faults.is_empty() {
            spending::verify::repair(&store, sums.organization_id).await?;
            holds = format!("{} totals were wrong, and are made anew", faults.len());
            faults.clear();
        }
        found.push((what, holds, faults));
    }
    let files = attachment::verify::verify(&store, args.repair).await?;
    if files != attachment::verify::Findings::default() {
        let mut holds = format!("{} objects hold", files.objects);
        if files.removed > 0 {
            holds += &format!(", {} of no row are removed", files.removed);
        }
        found.push(("files".to_owned(), holds, files.faults));
    }
    let attached = document::attachment::verify::verify(&store).await?;
    if attached != document::attachment::verify::Findings::default() {
        let holds = format!("{} contents hold", attached.contents);
        found.push(("attachments of documents".to_owned(), holds, attached.faults));
    }
    for meters in reading::verify::verify(&store).await? {
        let what = format!("meters of {}", meters.organization_id);
        found.push((what, format!("{} readings hold", meters.readings), meters.faults));
    }
    if found.is_empty() {
        out!("none: nothing is stored yet");
    }
    let mut sound = true;
    for (what, holds, faults) in found {
        let state = if faults.is_empty() { "ok" } else { "FAULTY" };
        out!("{what}  {state}, {holds}");
        for fault in faults {
            out!("    {fault}");
            sound = false;
        }
    }
    store.close().await?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn verify_zones(store: &Store, redate: bool) -> Result<ExitCode, CliError> {
    out!("time zones {}", zone::installed());
    let Summary { checked, found, redated } = redating::verify(store, redate, show).await?;
    out!("{checked} rows looked at, {found} differ, {redated} written anew");
    Ok(if found == redated { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(difference: &Difference) {
    let Difference { organization_id, entity, id, field, stored, right, outcome } = difference;
    let outcome = match outcome {
        Outcome::Found => String::new(),
        Outcome::Redated => "  redated".to_owned(),
        Outcome::Kept(why) => format!("  stays: {why}"),
    };
    let field = field.as_str();
    out!("{organization_id}  {entity} {id}  {field}: {stored}, should be {right}{outcome}");
}
