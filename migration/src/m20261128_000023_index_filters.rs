//! What finds a page of the lists' filters in their order, where those were walked in search of what few rows have.

use sea_orm_migration::prelude::*;

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in indexes() {
            manager.create_index(index).await?;
        }
        manager.drop_index(Index::drop().name(SUBJECT).table("saga").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut subject = index("saga", &["subject_id"]);
        manager.create_index(subject.name(SUBJECT).to_owned()).await?;
        for (table, columns) in INDEXES {
            let name = format!("idx-{table}-{}", columns.join("-"));
            manager.drop_index(Index::drop().name(name).table(*table).to_owned()).await?;
        }
        Ok(())
    }
}

/// The index of a saga's subject that one below begins with.
const SUBJECT: &str = "idx-saga-subject_id";

const INDEXES: &[(&str, &[&str])] = &[
    ("import", &["kind", "created_at", "id"]),
    ("saga", &["state", "created_at", "id"]),
    ("saga", &["subject_id", "created_at", "id"]),
    ("task", &["project_id", "due_key", "id"]),
    ("task", &["status", "due_key", "id"]),
    ("task", &["priority", "due_key", "id"]),
];

fn indexes() -> impl Iterator<Item = IndexCreateStatement> {
    INDEXES.iter().map(|(table, columns)| index(table, columns))
}
