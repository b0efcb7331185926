use std::{process::ExitCode, time::Duration};

use clap::Args;
use service::doctor::{self, Examination, Finding, Invisible, Report, Severity, Statement};

use super::{
    CliError, connect,
    print::{err, out},
    url,
};
use crate::config::Database;

/// How the command ends where something is critical, or nothing answers.
const CRITICAL: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Print the report as JSON, as GET /v1/operations/database shows it
    #[arg(long)]
    json: bool,
    /// On SQLite, also check that the file is sound and measure each table, which reads all of it
    #[arg(long)]
    check: bool,
    /// From how many seconds on a transaction is long
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    long_transaction: u64,
}

pub(super) async fn run(database: &Database, args: DoctorArgs) -> Result<ExitCode, CliError> {
    let examination = Examination {
        check: args.check,
        serves: false,
        long_transaction: Duration::from_secs(args.long_transaction),
    };
    let store = match connect(database).await {
        Ok(store) => store,
        Err(error) => return Ok(unreachable_database(database, &error)),
    };
    let report = doctor::examine(&store, examination).await;
    store.close().await?;
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            err(format_args!("steward: {} does not answer: {error}", url(database).shown()));
            return Ok(ExitCode::from(CRITICAL));
        }
    };
    match args.json {
        true => out!("{}", serde_json::to_string_pretty(&report)?),
        false => print(&report),
    }
    Ok(exit_code(report.severity))
}

fn unreachable_database(database: &Database, error: &CliError) -> ExitCode {
    err(format_args!("steward: {}: {error}", url(database).shown()));
    ExitCode::from(CRITICAL)
}

fn exit_code(severity: Severity) -> ExitCode {
    match severity {
        Severity::Ok => ExitCode::SUCCESS,
        Severity::Warning => ExitCode::from(1),
        Severity::Critical => ExitCode::from(CRITICAL),
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Warning => "WARNING",
        Severity::Critical => "CRITICAL",
    }
}

fn print(report: &Report) {
    let Report { severity, engine, engine_version, findings, statements, not_visible, .. } = report;
    out!("{engine} {engine_version}: {}", word(*severity));
    out!("");
    findings.iter().for_each(print_finding);
    if !statements.is_empty() {
        out!("\nstatements that took longest");
        statements.iter().for_each(print_statement);
    }
    if !not_visible.is_empty() {
        out!("\nnot visible");
    }
    for Invisible { check, reason } in not_visible {
        out!("          {check}: {reason}");
    }
}

fn print_finding(finding: &Finding) {
    let Finding { check, severity, summary, advice, .. } = finding;
    out!("{:<9} {check}: {summary}", word(*severity));
    if let Some(advice) = advice {
        out!("          -> {advice}");
    }
}

fn print_statement(statement: &Statement) {
    let Statement { source, fingerprint, statement, calls, total_seconds, max_seconds, plan } =
        statement;
    out!(
        "          {fingerprint}  {calls} times, {total_seconds:.3} s, at most {max_seconds:.3} s ({source})"
    );
    out!("          {statement}");
    for line in plan.iter().flat_map(|plan| plan.lines()) {
        out!("              {line}");
    }
}
