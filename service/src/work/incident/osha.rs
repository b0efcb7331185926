//! The log of a year and its summary, as OSHA's Forms 300 and 300A ask (29 CFR 1904.29 and 1904.32).

use std::{collections::HashMap, fmt};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use validator::Validate;

use super::{Classification, Incident, InjuryType, repository, secrets::Secrets};
use crate::{
    actor::{Actor, Settings},
    error::Result,
    identity::{member, organization},
    resource::Resource,
    spreadsheet::{file, neutral},
    store::{Store, Tx, stored::StoredWord},
};

/// More days than these are not counted (29 CFR 1904.7(b)(3)(vii)).
const MAX_DAYS: i64 = 180;

/// Year of an OSHA form.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OshaQuery {
    /// Calendar year of the incidents, 1000 to 9998, in the organization's time zone.
    #[validate(range(min = 1000, max = 9998))]
    pub year: i32,
}

impl OshaQuery {
    fn days(self) -> (NaiveDate, NaiveDate) {
        let day = |month, day| NaiveDate::from_ymd_opt(self.year, month, day).unwrap_or_default();
        (day(1, 1), day(12, 31))
    }

    fn instants(self, settings: &Settings) -> (DateTime<Utc>, DateTime<Utc>) {
        let (first, last) = self.days();
        let after = last.succ_opt().unwrap_or(last);
        (settings.start_of(first), settings.start_of(after))
    }
}

/// A file of CSV, for a spreadsheet. It does not show itself.
#[derive(Clone)]
pub struct CsvFile {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CsvFile").field(&self.name).finish()
    }
}

/// The columns of Form 300.
const LOG: &[&str] = &[
    "Case no.",
    "Employee's name",
    "Job title",
    "Date of injury or onset of illness",
    "Where the event occurred",
    "Injury or illness, parts of body affected, and what caused it",
    "Death (G)",
    "Days away from work (H)",
    "Job transfer or restriction (I)",
    "Other recordable cases (J)",
    "Number of days away from work (K)",
    "Number of days on job transfer or restriction (L)",
    "Injury (M1)",
    "Skin disorder (M2)",
    "Respiratory condition (M3)",
    "Poisoning (M4)",
    "Hearing loss (M5)",
    "All other illnesses (M6)",
];

/// The Form 300 of a year: its recordable incidents, in the order of their numbers.
pub async fn log_300(store: &Store, actor: &Actor, query: OshaQuery) -> Result<CsvFile> {
    Incident::require_keys(store.keyring())?;
    let actor = actor.clone();
    let rows = store.snapshot(async move |tx| {
        let cases = cases(tx, &actor, query).await?;
        let members = member::repository::all(tx, actor.organization_id).await?;
        let names: HashMap<Uuid, String> =
            members.into_iter().map(|member| (member.id, member.name)).collect();
        let mut rows = vec![LOG.iter().map(|&name| name.to_owned()).collect()];
        rows.extend(cases.iter().map(|case| line(case, &names, &actor.settings)));
        Ok(rows)
    });
    let name = format!("osha-300-{}.csv", query.year);
    Ok(CsvFile { name, content: file(&rows.await?)? })
}

async fn cases(tx: &Tx, actor: &Actor, query: OshaQuery) -> Result<Vec<Incident>> {
    let year = query.instants(&actor.settings);
    let rows = repository::recordable(tx, actor.organization_id, year).await?;
    let opened = rows.into_iter().map(|row| {
        let secrets = Secrets::open(tx.keyring(), &row)?;
        Incident::of(row, secrets)
    });
    opened.collect()
}

/// A text that somebody has written.
fn cell(text: &str) -> String {
    neutral(text).into_owned()
}

fn line(case: &Incident, names: &HashMap<Uuid, String>, settings: &Settings) -> Vec<String> {
    let name = match case.privacy_case {
        true => "Privacy Case".to_owned(),
        false => names.get(&case.member_id).map(|name| cell(name)).unwrap_or_default(),
    };
    let told = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
    let described = [&case.nature, &case.body_part, &case.cause];
    let described: Vec<&str> = described.into_iter().flatten().map(String::as_str).collect();
    let mark = |is| if is { "X".to_owned() } else { String::new() };
    let mut cells = vec![
        case.case_number.to_string(),
        name,
        told(&case.job_title),
        settings.day_of(case.occurred_at).to_string(),
        told(&case.place),
        cell(&described.join("; ")),
    ];
    cells.extend(Classification::ALL.iter().map(|it| mark(case.classification == Some(*it))));
    cells.extend([days(case.days_away), days(case.days_restricted)].map(|days| days.to_string()));
    cells.extend(InjuryType::ALL.iter().map(|it| mark(case.injury_type == Some(*it))));
    cells
}

fn days(days: i64) -> i64 {
    days.min(MAX_DAYS)
}

/// The Form 300A of a year: the sums of its log, and how many have worked how long.
pub async fn summary_300a(store: &Store, actor: &Actor, query: OshaQuery) -> Result<CsvFile> {
    Incident::require_keys(store.keyring())?;
    let actor = actor.clone();
    let rows = store.snapshot(async move |tx| {
        let organization_id = actor.organization_id;
        let establishment = organization::repository::get(tx, organization_id).await?.name;
        let cases = cases(tx, &actor, query).await?;
        let (members, seconds) = repository::worked(tx, organization_id, query.days()).await?;
        Ok(summary(&establishment, query.year, &cases, members, seconds))
    });
    let name = format!("osha-300a-{}.csv", query.year);
    Ok(CsvFile { name, content: file(&rows.await?)? })
}

fn summary(
    establishment: &str,
    year: i32,
    cases: &[Incident],
    members: i64,
    seconds: i128,
) -> Vec<Vec<String>> {
    let count = |fits: &dyn Fn(&Incident) -> bool| {
        cases.iter().filter(|case| fits(case)).count().to_string()
    };
    let came = |of: Classification| count(&|case| case.classification == Some(of));
    let kind = |of: InjuryType| count(&|case| case.injury_type == Some(of));
    let sum = |of: &dyn Fn(&Incident) -> i64| {
        cases.iter().map(|case| days(of(case))).sum::<i64>().to_string()
    };
    // To the nearest hour: the form has no fractions.
    let hours = (seconds + 1800) / 3600;
    let rows = [
        ("Establishment name", cell(establishment)),
        ("Year", year.to_string()),
        ("Annual average number of employees", members.to_string()),
        ("Total hours worked by all employees", hours.to_string()),
        ("Total number of deaths (G)", came(Classification::Death)),
        ("Total number of cases with days away from work (H)", came(Classification::DaysAway)),
        (
            "Total number of cases with job transfer or restriction (I)",
            came(Classification::Restricted),
        ),
        ("Total number of other recordable cases (J)", came(Classification::OtherRecordable)),
        ("Total number of days away from work (K)", sum(&|case| case.days_away)),
        (
            "Total number of days of job transfer or restriction (L)",
            sum(&|case| case.days_restricted),
        ),
        ("Injuries (M1)", kind(InjuryType::Injury)),
        ("Skin disorders (M2)", kind(InjuryType::SkinDisorder)),
        ("Respiratory conditions (M3)", kind(InjuryType::Respiratory)),
        ("Poisonings (M4)", kind(InjuryType::Poisoning)),
        ("Hearing loss (M5)", kind(InjuryType::HearingLoss)),
        ("All other illnesses (M6)", kind(InjuryType::OtherIllness)),
    ];
    let (names, values): (Vec<_>, Vec<_>) =
        rows.into_iter().map(|(name, value)| (name.to_owned(), value)).unzip();
    vec![names, values]
}
