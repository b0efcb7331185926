use std::collections::HashSet;

use csv::ByteRecord;

use crate::{
    error::{Error, Result, Violation, Violations},
    text::fold,
};

/// How many columns are told by name.
const MAX_LISTED: usize = 100;

/// A column of the file: where it is, and what it is called there.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    pub(super) at: usize,
    pub(super) name: &'a str,
}

/// The header of a file, and what could not be found in it.
#[derive(Debug)]
pub struct Header {
    names: Vec<String>,
    /// As they are written.
    written: Vec<String>,
    used: HashSet<usize>,
    refused: Violations,
}

impl Header {
    pub(super) fn of(header: &ByteRecord) -> Self {
        Self {
            names: header.iter().map(folded).collect(),
            written: header.iter().map(written).collect(),
            used: HashSet::new(),
            refused: Vec::new(),
        }
    }

    /// Of a file that does not name its columns: they are called by their positions, from 1.
    pub(super) fn of_positions(width: usize) -> Self {
        let names: Vec<_> = (1..=width).map(|position| position.to_string()).collect();
        Self { written: names.clone(), names, used: HashSet::new(), refused: Vec::new() }
    }

    /// How the file calls its columns.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether there is such a column.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(&fold(name))
    }

    /// The column of which the query says that it is called so.
    pub fn find<'a>(&mut self, parameter: &str, name: &'a str) -> Option<Column<'a>> {
        let folded = fold(name);
        let by_position =
            position(name).filter(|at| *at < self.names.len() && !self.names.contains(&folded));
        let is_it = |(at, other): &(usize, &String)| match by_position {
            Some(position) => *at == position,
            None => **other == folded,
        };
        let mut places = self.names.iter().enumerate().filter(is_it);
        let (code, message) = match (places.next(), places.next()) {
            (Some((at, _)), None) => {
                self.used.insert(at);
                return Some(Column { at, name });
            }
            (None, _) => ("unknown_column", "must name a column of the file, not"),
            (Some(_), Some(_)) => {
                ("ambiguous_column", "must name one column, but several columns have the name")
            }
        };
        self.refuse(parameter, code, format!("{message} {name:?}"));
        None
    }

    /// The column that the query names, if it names one.
    pub fn find_any<'a>(
        &mut self,
        parameter: &str,
        name: &'a Option<String>,
    ) -> Option<Column<'a>> {
        name.as_deref().and_then(|name| self.find(parameter, name))
    }

    /// Refuses a file in which nobody knows which column is this.
    pub fn need(&mut self, parameter: &str, found: bool) {
        let refused = |it: &Violation| it.pointer == format!("?{parameter}");
        if !found && !self.refused.iter().any(refused) {
            let message = "is required, because the format of the file is unknown";
            self.refuse(parameter, "required", message.to_owned());
        }
    }

    fn refuse(&mut self, parameter: &str, code: &'static str, message: String) {
        self.refused.push(Violation::new(format!("?{parameter}"), code, message));
    }

    /// How the file calls the columns that nobody has asked for: the first hundred.
    pub fn unused(&self) -> Vec<String> {
        let unused = self.written.iter().enumerate().filter(|(at, _)| !self.used.contains(at));
        unused.map(|(_, name)| name.clone()).take(MAX_LISTED).collect()
    }

    /// The columns that were found, if all were.
    pub fn all_found<T>(self, columns: Option<T>) -> Result<T> {
        match columns {
            Some(columns) if self.refused.is_empty() => Ok(columns),
            _ => Err(Error::Invalid(self.refused)),
        }
    }
}

/// Where the column is that is called by its position, from 1: `#3`. So are those without a name of their own.
pub fn position(name: &str) -> Option<usize> {
    name.trim().strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1)
}

/// The name of a column, without the byte order mark that some programs write; no more of it than anybody
/// wants to read.
fn written(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name = name.trim_start_matches('\u{feff}').trim();
    name.chars().filter(|c| *c != '\0').take(100).collect()
}

/// The name of a column as it is compared.
fn folded(name: &[u8]) -> String {
    fold(String::from_utf8_lossy(name).trim_start_matches('\u{feff}'))
}
