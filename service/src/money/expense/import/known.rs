//! What the words of a file refer to: categories by name, projects by job number or name.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{ImportQuery, parsed::Parsed};
use crate::{
    actor::Actor,
    csv::RowError,
    error::{Error, Result},
    money::category::{self, Category},
    resource::Writable,
    store::Tx,
    text::fold,
    work::project::{self, rules::Word},
};

/// What the words refer to, folded; of each kind that the file has a column for.
#[derive(Debug, Default)]
pub(super) struct Known {
    categories: HashMap<String, Uuid>,
    projects: HashMap<String, Word>,
}

impl Known {
    pub(super) async fn read(
        connection: &impl ConnectionTrait,
        organization_id: Uuid,
        query: &ImportQuery,
    ) -> Result<Self> {
        let categories = match query.category {
            Some(_) => category::repository::by_name(connection, organization_id).await?,
            None => HashMap::new(),
        };
        let projects = match query.project {
            Some(_) => {
                project::rules::words(project::repository::all(connection, organization_id).await?)?
            }
            None => HashMap::new(),
        };
        Ok(Self { categories, projects })
    }

    pub(super) fn category(&self, name: Option<&str>) -> Option<Uuid> {
        self.categories.get(&fold(name?)).copied()
    }

    pub(super) fn project(&self, word: Option<&str>) -> Option<Uuid> {
        match self.projects.get(&fold(word?))? {
            Word::Open(id) => Some(*id),
            Word::Archived | Word::Several => None,
        }
    }

    /// What is wrong with a row that refers to what is not there.
    pub(super) fn refusal(&self, parsed: &Parsed, query: &ImportQuery) -> Option<RowError> {
        self.category_refusal(parsed, query).or_else(|| self.project_refusal(parsed, query))
    }

    fn category_refusal(&self, parsed: &Parsed, query: &ImportQuery) -> Option<RowError> {
        let name = parsed.category.as_ref()?;
        if query.create_categories || self.categories.contains_key(&fold(name)) {
            return None;
        }
        Some(RowError {
            line: parsed.line,
            column: query.category.clone(),
            code: "unknown_category",
            message: "must be the name of a category; create_categories=true creates it".into(),
        })
    }

    fn project_refusal(&self, parsed: &Parsed, query: &ImportQuery) -> Option<RowError> {
        let word = parsed.project.as_ref()?;
        let (code, message) = match self.projects.get(&fold(word)) {
            Some(Word::Open(_)) => return None,
            Some(Word::Archived) => ("project_archived", "must not be an archived project"),
            Some(Word::Several) => ("ambiguous_project", "must be the name of only one project"),
            None => ("unknown_project", "must be the job number or the name of a project"),
        };
        Some(RowError {
            line: parsed.line,
            column: query.project.clone(),
            code,
            message: message.into(),
        })
    }

    /// Makes the category of a row where it is not there, and gives the id of a new one.
    pub(super) async fn make_category(
        &mut self,
        tx: &Tx,
        actor: &Actor,
        parsed: &Parsed,
    ) -> Result<Option<Uuid>> {
        let Some(name) = &parsed.category else { return Ok(None) };
        if self.categories.contains_key(&fold(name)) {
            return Ok(None);
        }
        let input = category::CategoryInput {
            name: name.clone(),
            kind: category::Kind::Expense,
            parent_id: None,
        };
        let made =
            Category::create(tx, actor, &input.into()).await.map_err(|error| match error {
                // Made by somebody else since this transaction began: it will be there the next time.
                Error::Duplicate { .. } => Error::lost_race("the category has just been made"),
                other => other,
            })?;
        self.categories.insert(fold(name), made.id);
        Ok(Some(made.id))
    }
}
