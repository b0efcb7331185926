//! Finds out how a file is written and which of its columns is what, where the query does not say so. What
//! nothing tells for sure is asked: a setting is found only where the whole file speaks for it.

mod balance;
mod columns;
mod content;
mod facts;
mod header;
mod settle;

use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use self::header::header_score;
use super::ImportQuery;
use crate::{
    csv::{self, Dialect},
    error::{Error, Result, Violation},
    text::fold,
};

/// Setting that the file alone does not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportUncertainty)]
pub struct Uncertainty {
    /// Name of the query parameter that decides.
    pub parameter: &'static str,
    /// Whether an import without the parameter is refused. If false, the value in `settings` is used.
    pub required: bool,
    /// Human-readable description of what is uncertain.
    pub message: String,
    /// Values that the parameter may have.
    pub alternatives: Vec<String>,
}

/// How a file is read.
#[derive(Debug, Clone)]
pub(super) struct Detected {
    /// The query, with all that was found.
    pub(super) query: ImportQuery,
    /// How the file calls its columns.
    pub(super) columns: Vec<String>,
    pub(super) uncertain: Vec<Uncertainty>,
}

impl Detected {
    /// The query, if all of it is sure.
    pub(super) fn or_ask(self) -> Result<ImportQuery> {
        let asked = self.uncertain.into_iter().filter(|it| it.required);
        let violations: Vec<_> = asked
            .map(|it| {
                let values = it.alternatives.join(", ");
                let or =
                    if values.is_empty() { String::new() } else { format!(": one of {values}") };
                let message = format!("is required, because {}{or}", it.message);
                Violation::new(format!("?{}", it.parameter), "required", message)
            })
            .collect();
        if violations.is_empty() { Ok(self.query) } else { Err(Error::Invalid(violations)) }
    }
}

/// How the file is written, as far as the query says so.
pub(super) fn dialect(query: &ImportQuery, currency: &str) -> Dialect {
    let mut letters = currency.bytes().map(|byte| byte.to_ascii_lowercase());
    query.dialect(letters.next().zip(letters.next()).map(|(a, b)| [a, b]))
}

/// Looks at a file. `currency` is the organization's.
pub(super) fn detect(path: &Path, query: &ImportQuery, currency: &str) -> Result<Detected> {
    let wanted = query.columns();
    let (dialect, sample, header) =
        dialect(query, currency).detect(path, |cells| header_score(cells, &wanted))?;
    let rows: Vec<&Vec<String>> = sample.rows.iter().map(|(_, cells)| cells).collect();
    let mut search = Search {
        query: query.clone(),
        names: Vec::new(),
        is_named: !wanted.is_empty(),
        currency,
        uncertain: Vec::new(),
        is_english: true,
        balance: None,
        is_weak_direction: false,
        partial_direction: None,
        asked: None,
    };
    search.query.encoding = dialect.encoding.map(csv::Encoding::name);
    search.query.delimiter = dialect.delimiter;
    search.query.skip_rows = dialect.skip_rows;
    let data = search.find_header(&sample.rows, &rows, header);
    search.find_columns(data);
    let facts = search.read(path)?;
    search.settle(&facts, data);
    let Search { query, names, uncertain, .. } = search;
    Ok(Detected { query, columns: names, uncertain })
}

/// What is known of a file so far.
struct Search<'a> {
    query: ImportQuery,
    names: Vec<String>,
    /// Whether the query names columns: then no others are taken that a row can do without.
    is_named: bool,
    currency: &'a str,
    uncertain: Vec<Uncertainty>,
    is_english: bool,
    /// The column of the balance, which says what the signs of amounts mean.
    balance: Option<String>,
    /// Whether the column of the direction was found by its words alone, or by a name such as `Type`: then the
    /// signs of the amounts say it better.
    is_weak_direction: bool,
    /// The column that says which way money went, but not in all rows.
    partial_direction: Option<String>,
    /// The column that may say which way money went, in words that are not known.
    asked: Option<String>,
}

impl Search<'_> {
    fn doubt(
        &mut self,
        parameter: &'static str,
        required: bool,
        message: impl Into<String>,
        alternatives: Vec<String>,
    ) {
        let message = message.into();
        self.uncertain.push(Uncertainty { parameter, required, message, alternatives });
    }

    fn place(&self, name: Option<&String>) -> Option<usize> {
        let name = name?;
        let mut places =
            self.names.iter().enumerate().filter(|(_, other)| fold(other) == fold(name));
        match places.next() {
            Some((at, _)) => Some(at),
            None => csv::position(name).filter(|at| *at < self.names.len()),
        }
    }

    /// What the query calls a column.
    fn name(&self, at: usize) -> String {
        let name = &self.names[at];
        let alone = self.names.iter().filter(|other| fold(other) == fold(name)).count() == 1;
        if alone && !name.is_empty() { name.clone() } else { format!("#{}", at + 1) }
    }
}
