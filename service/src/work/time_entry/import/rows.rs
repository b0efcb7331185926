//! The rows of a file, each by itself: what it says of when, who, what and for what.

use serde::{Deserialize, Serialize};

use super::{
    TimeImport,
    columns::Columns,
    formats::Format,
    times::{When, when},
};
use crate::{
    csv::{self, Cells, Column, Identity, Keys, RowError, Said, Sheet},
    error::Result,
    text::{self, fold},
    work::time_entry::Break,
};

/// How many rows a file has at most: all of them are compared with what is there at once.
const MAX_ROWS: usize = 10_000;
/// How many tags an entry has at most.
const MAX_TAGS: usize = 20;

/// How many of the texts by which a row is known again say whose time it is: they come first.
pub(super) const WHO_TEXTS: usize = 3;

/// What a row says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Parsed {
    pub(super) line: u64,
    pub(super) person: Person,
    pub(super) project: Option<Named>,
    pub(super) task: Option<String>,
    pub(super) when: When,
    pub(super) breaks: Vec<Break>,
    pub(super) billable: bool,
    pub(super) note: Option<String>,
    pub(super) tags: Vec<String>,
    /// What tells it from every other row.
    #[serde(flatten)]
    pub(super) identity: Identity,
}

/// Who worked; nobody is named where both are none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
}

/// Which project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) name: Option<String>,
    pub(super) job_number: Option<String>,
    pub(super) client: Option<String>,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct File {
    /// Its rows, each good or bad.
    pub(super) rows: Vec<Result<Parsed, RowError>>,
    /// How many were left out, as was asked for.
    pub(super) skipped: u64,
    /// Its columns of which nothing was read.
    pub(super) ignored_columns: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// [`crate::Error::Invalid`] where it cannot be read as a whole.
pub(super) fn read(import: &TimeImport) -> Result<File> {
    let named = import.query.columns();
    let score = |cells: &[String]| header_score(cells, &named);
    let (dialect, ..) = import.query.dialect(None).detect(&import.path, score)?;
    let (mut sheet, header) = Sheet::open(&import.path, &dialect)?;
    let (columns, ignored_columns) = Columns::find(header, &import.query)?;
    let mut keys = Keys::default();
    let (mut rows, mut skipped) = (Vec::new(), 0);
    while let Some(cells) = sheet.row()? {
        if rows.len() == MAX_ROWS {
            return Err(csv::too_many_rows(MAX_ROWS as u64));
        }
        match parse(&cells, &columns, import, &mut keys).transpose() {
            Some(row) => rows.push(row),
            None => skipped += 1,
        }
    }
    Ok(File { rows, skipped, ignored_columns })
}

/// How much a row looks like the header: it is one of a format that is known, or has the columns that the
/// query names.
fn header_score(cells: &[String], named: &[&str]) -> u32 {
    let has = |name: &str| cells.iter().any(|cell| fold(cell) == fold(name));
    let found = named.iter().filter(|name| has(name)).count();
    let known = if Format::is_header(has) { 100 } else { 0 };
    known + u32::try_from(found).unwrap_or_default()
}

/// What a row says; nothing where it is to be left out.
fn parse(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    import: &TimeImport,
    keys: &mut Keys,
) -> Result<Option<Parsed>, RowError> {
    cells.check_width()?;
    let person = person(cells, columns)?;
    let project = project(cells, columns)?;
    let task = trimmed(cells, columns.task, 200)?;
    let Some((when, breaks)) = when(cells, columns, import)? else { return Ok(None) };
    let billable = billable(cells, columns.billable, import.query.billable_true.as_deref())?;
    let note = match columns.description {
        Some(column) => Some(cells.text(column, 5000)?).filter(|text| !text.is_empty()),
        None => None,
    };
    let tags = tags(cells, columns.tags)?;
    let mut parsed = Parsed {
        line: cells.line,
        person,
        project,
        task,
        when,
        breaks,
        billable,
        note: note.map(str::to_owned),
        tags,
        identity: Identity::default(),
    };
    parsed.identity = parsed.identify(columns, import, keys);
    Ok(Some(parsed))
}

impl Parsed {
    fn identify(&self, columns: &Columns<'_>, import: &TimeImport, keys: &mut Keys) -> Identity {
        let (one, other) = match self.when {
            When::Between(start, end) => (start.to_rfc3339(), end.to_rfc3339()),
            When::On(day, minutes) => (day.to_string(), minutes.to_string()),
        };
        let Person { name, email } = &self.person;
        let fallback = import.member_id.map(|id| id.to_string());
        let fallback = fallback.filter(|_| name.is_none() && email.is_none());
        let project = self.project.as_ref();
        let project_name = project.and_then(|it| it.name.as_deref());
        let job_number = project.and_then(|it| it.job_number.as_deref());
        let client = project.and_then(|it| it.client.as_deref());
        let tags = self.tags.join(",");
        let billable = if self.billable { "1" } else { "0" };
        let breaks: Vec<_> = self.breaks.iter().map(shown).collect();
        let all_breaks = breaks.join(",");
        let names = [columns.user, columns.first_name, columns.last_name];
        let texts = [
            Some(fallback.as_deref().unwrap_or_default()),
            said(names.iter().any(Option::is_some), name.as_deref()),
            said(columns.email.is_some(), email.as_deref()),
            said(columns.project.is_some(), project_name),
            said(columns.job_number.is_some(), job_number),
            said(columns.client.is_some(), client),
            said(columns.task.is_some(), self.task.as_deref()),
            said(columns.description.is_some(), self.note.as_deref()),
            said(columns.tags.is_some(), Some(&tags)),
            said(columns.billable.is_some(), Some(billable)),
            said(columns.breaks.is_some(), Some(&all_breaks)),
        ];
        let earlier = [
            Some(one.as_str()),
            Some(&other),
            fallback.as_deref(),
            name.as_deref(),
            email.as_deref(),
            project_name,
            job_number,
            client,
            self.task.as_deref(),
            self.note.as_deref(),
            Some(&tags),
            Some(billable),
        ];
        // Those without breaks have the keys that they had before breaks were read.
        let earlier = earlier.into_iter().chain(breaks.iter().map(|it| Some(it.as_str())));
        keys.next(&Said { fixed: &[&one, &other], texts: &texts }, earlier)
    }
}

/// What a column that a file may have says: nothing of one that is not read.
fn said(is_read: bool, text: Option<&str>) -> Option<&str> {
    is_read.then(|| text.unwrap_or_default())
}

fn shown(pause: &Break) -> String {
    format!("{}/{}", pause.started_at.to_rfc3339(), pause.ended_at.to_rfc3339())
}

/// A cell's text without space around it, if there is any.
fn trimmed(
    cells: &Cells<'_>,
    column: Option<Column<'_>>,
    max: usize,
) -> Result<Option<String>, RowError> {
    Ok(cells.optional(column, max)?.map(|text| text.trim().to_owned()))
}

fn person(cells: &Cells<'_>, columns: &Columns<'_>) -> Result<Person, RowError> {
    let whole = trimmed(cells, columns.user, 100)?;
    let parts = [trimmed(cells, columns.first_name, 100)?, trimmed(cells, columns.last_name, 100)?];
    let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = whole.or_else(|| (!joined.is_empty()).then_some(joined));
    if name.as_ref().is_some_and(|name| name.chars().count() > 100) {
        return Err(cells.bad(columns.last_name, "length", "must have at most 100 characters"));
    }
    Ok(Person { name, email: trimmed(cells, columns.email, 200)? })
}

fn project(cells: &Cells<'_>, columns: &Columns<'_>) -> Result<Option<Named>, RowError> {
    let name = trimmed(cells, columns.project, 100)?;
    let job_number = trimmed(cells, columns.job_number, 50)?;
    let client = trimmed(cells, columns.client, 200)?;
    let named = name.is_some() || job_number.is_some();
    Ok(named.then_some(Named { name, job_number, client }))
}

fn billable(
    cells: &Cells<'_>,
    column: Option<Column<'_>>,
    true_words: Option<&str>,
) -> Result<bool, RowError> {
    let Some(text) = cells.optional(column, 100)? else { return Ok(false) };
    let word = fold(text.trim());
    if let Some(words) = true_words {
        return Ok(words.split(',').any(|other| fold(other.trim()) == word));
    }
    match &*word {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(cells.bad(
            column,
            "billable",
            "must be Yes, No, true, false, 1 or 0; billable_true= sets the words that mean yes",
        )),
    }
}

/// The tags, of those that differ only in case the first one.
fn tags(cells: &Cells<'_>, column: Option<Column<'_>>) -> Result<Vec<String>, RowError> {
    let text = cells.optional(column, 2000)?.unwrap_or_default();
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let is_bad =
            |_| cells.bad(column, "tags", "must not have a tag of more than 50 characters");
        text::tag(tag).map_err(is_bad)?;
        if !tags.iter().any(|other| fold(other) == fold(tag)) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(cells.bad(column, "tags", format!("must have at most {MAX_TAGS} tags")));
    }
    Ok(tags)
}
