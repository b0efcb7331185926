//! Distributes the tables of a PostgreSQL that has Citus: what belongs to an organization is on the shard of that
//! organization, so that its queries, foreign keys and transactions stay on one node.
//!
//! Each table is distributed in a transaction of its own. It can end anywhere, and the next one goes on.

use std::iter;

use entity::owned_tables;
use sea_orm::DbErr;
use thiserror::Error;

use crate::store::{
    Engine, Store,
    citus::{Distributed, Distribution},
};

/// The table of organizations, whose shard all that belongs to them shares.
const ORGANIZATION: &str = "organization";
/// Tables of no organization that others refer to, or that refer to such: those first to which others refer.
const REFERENCE: &[&str] = &["user", "session"];
/// Tables of no organization to which nothing refers: steward's own work, some rows that change all the time.
const LOCAL: &[&str] = &["consumer", "lease", "object_removal", "revocation_count"];

macro_rules! names {
    ($($table:ident [$($link:ident),*],)*) => {
        /// Those first that refer to others.
        const OWNED: &[&str] = &[$(stringify!($table)),*];
    };
}
owned_tables!(names);

/// Where the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// On the shard of an organization.
    Sharded {
        /// The column that names the organization.
        column: &'static str,
    },
    /// On every node.
    Reference,
    /// On the coordinator alone, as in any PostgreSQL.
    Local,
}

/// A table, and where its rows are.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// What it is called.
    pub name: &'static str,
    /// Where its rows are.
    pub placement: Placement,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// The table to which it does that.
    pub table: &'static str,
    /// The statement, without a semicolon.
    pub sql: String,
}

/// What is done to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Its rows go to the shards of their organizations.
    Shard,
    /// Its rows go to every node.
    Replicate,
    /// The copies of its rows that are left on the coordinator are removed.
    RemoveCopies,
}

/// Why a database is not distributed.
#[derive(Debug, Error)]
pub enum DistributionError {
    /// SQLite is a file.
    #[error(
        "only PostgreSQL with the extension Citus can be distributed, and DATABASE_URL names SQLite"
    )]
    Sqlite,
    /// The extension is missing.
    #[error(
        "the database does not have the extension Citus. Add citus to shared_preload_libraries, restart \
         PostgreSQL, and run CREATE EXTENSION citus in the database (docs/operations.md)"
    )]
    NoCitus,
    /// Somebody has distributed a table in another way.
    #[error(
        "the table {table} is distributed in another way than steward needs: run \
         SELECT undistribute_table('\"{table}\"', cascade_via_foreign_keys => true), and then this command again"
    )]
    Otherwise {
        /// The table.
        table: &'static str,
    },
    /// A table could not be distributed.
    #[error(
        "the table {table} could not be distributed: {cause}. What was done before stays, and this command goes on \
         from there. Every node of steward must be stopped meanwhile"
    )]
    Table {
        /// The table.
        table: &'static str,
        /// Why not.
        cause: DbErr,
    },
    /// The database does not answer as it should.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Every table, those first to which others refer.
pub fn tables() -> Vec<Table> {
    let placed = |placement| move |name: &&'static str| Table { name, placement };
    let reference = REFERENCE.iter().map(placed(Placement::Reference));
    let organization = placed(Placement::Sharded { column: "id" })(&ORGANIZATION);
    let owned = OWNED.iter().rev().map(placed(Placement::Sharded { column: "organization_id" }));
    let local = LOCAL.iter().map(placed(Placement::Local));
    reference.chain(iter::once(organization)).chain(owned).chain(local).collect()
}

impl Table {
    fn step(self) -> Option<Step> {
        let Self { name, placement } = self;
        let (action, sql) = match placement {
            Placement::Local => return None,
            Placement::Reference => {
                (Action::Replicate, format!("SELECT create_reference_table('\"{name}\"')"))
            }
            Placement::Sharded { column } => {
                // Nobody else's tables are to share its shards.
                let with = if name == ORGANIZATION { "none" } else { "\"organization\"" };
                let sql = format!(
                    "SELECT create_distributed_table('\"{name}\"', '{column}', colocate_with => '{with}')"
                );
                (Action::Shard, sql)
            }
        };
        Some(Step { action, table: name, sql })
    }

    /// Whether Citus has it as it should be, where it has it at all.
    fn agrees_with(self, found: &Distributed, organization: Option<&Distributed>) -> bool {
        match self.placement {
            Placement::Sharded { column } => {
                found.kind == "distributed"
                    && found.column == column
                    && organization.is_some_and(|it| it.colocation == found.colocation)
            }
            Placement::Reference => found.kind == "reference",
            Placement::Local => false,
        }
    }

    fn remove_copies(self) -> Step {
        let Self { name, .. } = self;
        let sql = format!("SELECT truncate_local_data_after_distributing_table('\"{name}\"')");
        Step { action: Action::RemoveCopies, table: name, sql }
    }
}

/// What is left to do, in the order in which it can be done: nothing where all is done.
///
/// # Errors
/// [`DistributionError`], where the database cannot be distributed, or is in another way.
pub async fn plan(store: &Store) -> Result<Vec<Step>, DistributionError> {
    if store.engine() == Engine::Sqlite {
        return Err(DistributionError::Sqlite);
    }
    let found = store.distribution().await?.ok_or(DistributionError::NoCitus)?;
    left_of(&tables(), &found)
}

fn left_of(tables: &[Table], found: &Distribution) -> Result<Vec<Step>, DistributionError> {
    let organization = found.tables.get(ORGANIZATION);
    let mut steps = Vec::new();
    for table in tables {
        // What Citus calls local it has noticed, and not distributed.
        match found.tables.get(table.name).filter(|found| found.kind != "local") {
            None => steps.extend(table.step()),
            Some(found) if table.agrees_with(found, organization) => {}
            Some(_) => return Err(DistributionError::Otherwise { table: table.name }),
        }
    }
    // Only once all tables are distributed that refer to it.
    let distributed = tables.iter().filter(|table| table.placement != Placement::Local);
    let with_copies = distributed.filter(|table| found.with_local_rows.contains(table.name));
    steps.extend(with_copies.map(|table| table.remove_copies()));
    Ok(steps)
}

/// Does what a plan says. `progress` is told of each step that is done.
///
/// # Errors
/// [`DistributionError::Table`] at the first step that fails; those before it stay.
pub async fn run(
    store: &Store,
    steps: &[Step],
    progress: impl Fn(&Step),
) -> Result<(), DistributionError> {
    for step in steps {
        let done = store.distribute(&step.sql).await;
        done.map_err(|cause| DistributionError::Table { table: step.table, cause })?;
        progress(step);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distributed(kind: &str, column: &str, colocation: i64) -> Distributed {
        Distributed { kind: kind.into(), column: column.into(), colocation }
    }

    /// What Citus has once all steps are done.
    fn complete() -> Distribution {
        let placed = |table: &Table| match table.placement {
            Placement::Sharded { column } => Some(distributed("distributed", column, 7)),
            Placement::Reference => Some(distributed("reference", "<none>", 3)),
            Placement::Local => None,
        };
        let tables = tables().into_iter();
        let tables = tables.filter_map(|table| Some((table.name.to_owned(), placed(&table)?)));
        Distribution { tables: tables.collect(), ..Distribution::default() }
    }

    #[test]
    fn the_first_plan_names_each_table_but_the_local_ones_and_the_last_none() {
        let tables = tables();
        let steps = left_of(&tables, &Distribution::default()).expect("a plan");
        assert_eq!(steps.len(), tables.len() - LOCAL.len());
        assert_eq!(left_of(&tables, &complete()).expect("a plan"), []);
    }

    #[test]
    fn a_plan_goes_on_where_the_last_one_has_ended() {
        let mut found = complete();
        found.tables.remove("transfer");
        found.tables.insert("session".into(), distributed("local", "<none>", 0));
        found.with_local_rows.extend(["expense", "lease"].map(String::from));
        let steps = left_of(&tables(), &found).expect("a plan");
        let sql: Vec<&str> = steps.iter().map(|step| &*step.sql).collect();
        assert_eq!(
            sql,
            [
                r#"SELECT create_reference_table('"session"')"#,
                concat!(
                    r#"SELECT create_distributed_table('"transfer"', 'organization_id', "#,
                    r#"colocate_with => '"organization"')"#,
                ),
                r#"SELECT truncate_local_data_after_distributing_table('"expense"')"#,
            ]
        );
    }

    #[test]
    fn what_is_distributed_in_another_way_is_refused() {
        for (table, other) in [
            ("expense", distributed("distributed", "id", 7)),
            ("expense", distributed("distributed", "organization_id", 8)),
            ("expense", distributed("reference", "<none>", 3)),
            ("user", distributed("distributed", "id", 7)),
            ("lease", distributed("reference", "<none>", 3)),
        ] {
            let mut found = complete();
            found.tables.insert(table.into(), other);
            let refused = left_of(&tables(), &found).expect_err("another way");
            assert!(refused.to_string().contains(&format!("the table {table} ")), "{refused}");
        }
    }
}
