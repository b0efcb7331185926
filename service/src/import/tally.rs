use entity::import;
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    csv::{MAX_REPORTED, RowError},
    error::Result,
    store::stored,
};

/// What was written of some rows.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// The ids of what was made of them.
    pub(crate) created: Vec<Uuid>,
    /// How many had been imported before.
    pub(crate) duplicates: u64,
    /// What is wrong with the others.
    pub(crate) errors: Vec<RowError>,
    /// What was made besides, because rows name it: which kind of resource, as the log calls it, and its id.
    pub(crate) made: Vec<(&'static str, Uuid)>,
}

impl Written {
    /// How many of a kind of resource were made because rows name them.
    pub(crate) fn made_of(&self, entity: &str) -> u64 {
        self.made.iter().filter(|(of, _)| *of == entity).count() as u64
    }
}

/// How far an import is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) total: i64,
    pub(crate) created: i64,
    pub(crate) duplicates: i64,
    pub(crate) deleted_before: i64,
    pub(crate) ignored: i64,
    pub(crate) failed: i64,
    pub(crate) created_categories: i64,
    pub(crate) created_projects: i64,
    pub(crate) created_tasks: i64,
    pub(crate) created_members: i64,
    pub(crate) errors: Vec<Value>,
}

impl Tally {
    /// As it stands in the database.
    pub(crate) fn of(row: &import::Model) -> Result<Self> {
        Ok(Self {
            total: row.total,
            created: row.created,
            duplicates: row.duplicates,
            deleted_before: row.deleted_before.unwrap_or_default(),
            ignored: row.ignored,
            failed: row.failed,
            created_categories: row.created_categories,
            created_projects: row.created_projects,
            created_tasks: row.created_tasks,
            created_members: row.created_members,
            errors: stored::json(import::Column::Errors, row.id, row.errors.clone())?,
        })
    }

    /// Counts bad rows of which these are the first.
    pub(crate) fn fail(&mut self, failed: u64, errors: Vec<Value>) {
        self.failed += count(failed);
        let room = MAX_REPORTED.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }

    /// Counts what was written.
    pub(crate) fn add(&mut self, written: &Written) {
        self.created += count(written.created.len() as u64);
        self.duplicates += count(written.duplicates);
        self.fail(written.errors.len() as u64, written.errors.iter().map(|it| json!(it)).collect());
        for (entity, _) in &written.made {
            if let Some(made) = self.made(entity) {
                *made += 1;
            }
        }
    }

    /// How many of a kind of resource were made because rows name them.
    pub(crate) fn made(&mut self, entity: &str) -> Option<&mut i64> {
        match entity {
            "category" => Some(&mut self.created_categories),
            "project" => Some(&mut self.created_projects),
            "task" => Some(&mut self.created_tasks),
            "member" => Some(&mut self.created_members),
            _ => None,
        }
    }

    /// Its columns.
    pub(super) fn columns(self) -> import::ActiveModel {
        let Self {
            total,
            created,
            duplicates,
            deleted_before,
            ignored,
            failed,
            created_categories,
            created_projects,
            created_tasks,
            created_members,
            errors,
        } = self;
        import::ActiveModel {
            total: Set(total),
            created: Set(created),
            duplicates: Set(duplicates),
            deleted_before: Set(Some(deleted_before)),
            ignored: Set(ignored),
            failed: Set(failed),
            created_categories: Set(created_categories),
            created_projects: Set(created_projects),
            created_tasks: Set(created_tasks),
            created_members: Set(created_members),
            errors: Set(Value::Array(errors)),
            ..Default::default()
        }
    }
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
