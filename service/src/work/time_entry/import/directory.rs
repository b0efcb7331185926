//! What the words of a file stand for: members by the email of their user or by name, projects by job
//! number or name, tasks by title within their project.

use std::collections::HashMap;

use entity::project as table;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    TimeImport,
    rows::{Named, Parsed, Person},
};
use crate::{
    csv::RowError,
    error::{Error, Result},
    identity::member,
    store::stored::{self, StoredWord},
    text::{address_key, fold},
    work::project::{self, rules},
};

use super::super::repository::{self, Titled};

/// What something that a file names is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// This.
    One(Uuid),
    /// Nothing.
    Missing,
    /// Several, of which it may be any.
    Several,
}

impl Found {
    fn of(found: &[Uuid]) -> Self {
        match found {
            [] => Self::Missing,
            [one] => Self::One(*one),
            _ => Self::Several,
        }
    }
}

/// Everything that a file may name.
#[derive(Debug, Default)]
pub(super) struct Directory {
    members: HashMap<String, Vec<Uuid>>,
    emails: HashMap<String, Uuid>,
    projects: Vec<table::Model>,
    numbers: HashMap<String, usize>,
    names: HashMap<String, Vec<usize>>,
    tasks: HashMap<(Option<Uuid>, String), Titled>,
    /// Which unknown email goes by a name: of two people of one name, nobody can tell whose the time is.
    aliases: HashMap<String, String>,
}

impl Directory {
    /// Of each kind, if some row names one.
    pub(super) async fn read(
        connection: &impl ConnectionTrait,
        organization_id: Uuid,
        rows: &[&Parsed],
    ) -> Result<Self> {
        let mut directory = Self::default();
        if rows.iter().any(|row| row.person.name.is_some() || row.person.email.is_some()) {
            for row in member::repository::all(connection, organization_id).await? {
                directory.add_member(row.id, &row.name);
            }
            let emails = member::repository::emails(connection, organization_id).await?;
            directory.emails = emails.into_iter().collect();
        }
        if rows.iter().any(|row| row.project.is_some()) {
            for row in project::repository::all(connection, organization_id).await? {
                directory.add_project(row);
            }
        }
        if rows.iter().any(|row| row.task.is_some()) {
            for task in repository::titled(connection, organization_id).await? {
                directory.add_task(task);
            }
        }
        Ok(directory)
    }

    pub(super) fn add_member(&mut self, id: Uuid, name: &str) {
        self.members.entry(fold(name)).or_default().push(id);
    }

    pub(super) fn add_project(&mut self, row: table::Model) {
        let at = self.projects.len();
        if let Some(number) = &row.job_number {
            self.numbers.insert(fold(number), at);
        }
        self.names.entry(fold(&row.name)).or_default().push(at);
        self.projects.push(row);
    }

    /// Of several of one title, such as those that a recurring task leaves, an open one is meant, and
    /// among them the latest.
    pub(super) fn add_task(&mut self, task: Titled) {
        let rank = |task: &Titled| (task.open, task.created_at, task.id);
        let key = (task.project_id, fold(&task.title));
        let known = self.tasks.entry(key).or_insert_with(|| task.clone());
        if rank(known) < rank(&task) {
            *known = task;
        }
    }

    /// Whose time it is. The email of a user goes before a name; a member without a user has none.
    pub(super) fn member(&mut self, person: &Person, import: &TimeImport) -> Found {
        let email = person.email.as_deref().map(address_key);
        if let Some(id) = email.as_ref().and_then(|email| self.emails.get(email)) {
            return Found::One(*id);
        }
        let Some(name) = person.called() else {
            return import.member_id.map_or(Found::Missing, Found::One);
        };
        let name = fold(name);
        let found = self.members.get(&name).map_or(Found::Missing, |found| Found::of(found));
        if let Some(email) = email {
            let alias = self.aliases.entry(name).or_insert_with(|| email.clone());
            if *alias != email {
                return Found::Several;
            }
        }
        found
    }

    /// Which project: that of the job number, or of the name and, if both have one, the client. One
    /// that is archived is meant only where no other is.
    pub(super) fn project(&self, named: &Named) -> Found {
        let by_number = |word: &str| self.numbers.get(&fold(word)).copied();
        if let Some(at) = named.job_number.as_deref().and_then(by_number) {
            return Found::One(self.projects[at].id);
        }
        let Some(name) = &named.name else { return Found::Missing };
        let same = self.names.get(&fold(name)).map(Vec::as_slice).unwrap_or_default();
        let same = same.iter().map(|at| &self.projects[*at]);
        let same: Vec<_> = same.filter(|row| may_be(row, named)).collect();
        if same.is_empty() {
            let at = by_number(name).filter(|_| named.job_number.is_none());
            return at.map_or(Found::Missing, |at| Found::One(self.projects[at].id));
        }
        let open: Vec<_> =
            same.iter().filter(|row| row.status != project::Status::Archived.as_str()).collect();
        let some = if open.is_empty() { same.iter().collect() } else { open };
        let closest: Vec<_> =
            some.iter().filter(|row| differ(&row.client, &named.client) == Some(false)).collect();
        let ids = |rows: &mut dyn Iterator<Item = Uuid>| Found::of(&rows.collect::<Vec<_>>());
        if closest.is_empty() {
            ids(&mut some.iter().map(|row| row.id))
        } else {
            ids(&mut closest.iter().map(|row| row.id))
        }
    }

    /// The task of a title within a project, or within none.
    pub(super) fn task(&self, project_id: Option<Uuid>, title: &str) -> Option<Uuid> {
        self.tasks.get(&(project_id, fold(title))).map(|task| task.id)
    }

    /// What is wrong with a row that names what is not there, and is not to be made.
    pub(super) fn refusal(
        &mut self,
        row: &Parsed,
        import: &TimeImport,
    ) -> Result<Option<RowError>> {
        if let Some(refused) = self.member_refusal(row, import) {
            return Ok(Some(refused));
        }
        let refused = self.project_refusal(row, import)?;
        Ok(refused.or_else(|| self.task_refusal(row, import)))
    }

    fn member_refusal(&mut self, row: &Parsed, import: &TimeImport) -> Option<RowError> {
        let (code, message) = match self.member(&row.person, import) {
            Found::One(_) => return None,
            Found::Missing if row.person.called().is_none() => (
                "required",
                "the row names no member, and the caller is not a member: set member_id",
            ),
            Found::Missing if import.query.create_members => return None,
            Found::Missing => (
                "unknown_member",
                "is not the name of a member; create_members=true creates the member",
            ),
            Found::Several => ("ambiguous_member", "is the name of several members"),
        };
        Some(refused(row, code, row.person.called(), message))
    }

    fn project_refusal(&self, row: &Parsed, import: &TimeImport) -> Result<Option<RowError>> {
        let Some(named) = &row.project else { return Ok(None) };
        let (code, message) = match self.project(named) {
            Found::One(id) => {
                let found = self.projects.iter().find(|project| project.id == id);
                let Some(found) = found else { return Ok(None) };
                let status = stored::word(table::Column::Status, id, &found.status)?;
                let Err(Error::State { code, .. }) = rules::ensure_accepts_new(status) else {
                    return Ok(None);
                };
                (code, "is an archived project")
            }
            Found::Missing if import.query.create_projects => return Ok(None),
            Found::Missing => {
                ("unknown_project", "is not a project; create_projects=true creates the project")
            }
            Found::Several => ("ambiguous_project", "is the name of several projects"),
        };
        let called = named.name.as_deref().or(named.job_number.as_deref());
        Ok(Some(refused(row, code, called, message)))
    }

    fn task_refusal(&self, row: &Parsed, import: &TimeImport) -> Option<RowError> {
        let title = row.task.as_deref()?;
        if import.query.create_tasks {
            return None;
        }
        let known = match row.project.as_ref().map(|named| self.project(named)) {
            None => self.task(None, title),
            Some(Found::One(id)) => self.task(Some(id), title),
            Some(Found::Missing | Found::Several) => None,
        };
        let message = "is not a task of the project; create_tasks=true creates the task";
        known.is_none().then(|| refused(row, "unknown_task", Some(title), message))
    }
}

impl Person {
    /// By which name a member is found or made.
    pub(super) fn called(&self) -> Option<&str> {
        self.name.as_deref().or(self.email.as_deref())
    }
}

/// Whether a project of the same name may be the one that is named: neither its client nor its job number is
/// another one.
fn may_be(row: &table::Model, named: &Named) -> bool {
    differ(&row.client, &named.client) != Some(true)
        && differ(&row.job_number, &named.job_number) != Some(true)
}

/// Whether two words differ, if there are two.
fn differ(one: &Option<String>, other: &Option<String>) -> Option<bool> {
    let shown = |word: &Option<String>| word.as_deref().map(fold).filter(|word| !word.is_empty());
    Some(shown(one)? != shown(other)?)
}

fn refused(row: &Parsed, code: &'static str, word: Option<&str>, message: &str) -> RowError {
    let message = match word {
        Some(word) => format!("{word:?} {message}"),
        None => message.to_owned(),
    };
    RowError { line: row.line, column: None, code, message }
}
