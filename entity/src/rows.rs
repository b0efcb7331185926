//! Rows read by position.
//!
//! SeaORM reads each column by its name, and makes an error of every NULL, with a text, before it
//! makes a None of that: on a page of rows more than the database takes for them
//! (docs/benchmarks.md). Columns are selected and read in the order of the lists in
//! `generated`, of which the compiler misses no field. After the semicolon stand the columns that are not
//! read.

use std::sync::Arc;

use sea_orm::{
    DbErr, EntityTrait, QueryResult, RuntimeErr,
    sqlx::{self, Decode, Postgres, Row, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow},
};

/// A table whose rows can be read by position.
pub trait OrderedColumns: EntityTrait {
    /// The columns that are read, in order. Not among them are those that are written for the
    /// database alone, to search in and to hold apart: in a model they have no value.
    fn columns() -> Vec<Self::Column>;

    /// A row of these columns.
    ///
    /// # Errors
    /// Where a value is not of its column's type.
    fn read(row: &QueryResult) -> Result<Self::Model, DbErr>;
}

/// A row, and which of its columns comes next.
pub(crate) struct RowDecoder<'r> {
    row: Driver<'r>,
    next: usize,
}

enum Driver<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl<'r> RowDecoder<'r> {
    pub(crate) fn of(row: &'r QueryResult) -> Result<Self, DbErr> {
        let sqlite = row.try_as_sqlite_row().map(Driver::Sqlite);
        let row = sqlite.or_else(|| row.try_as_pg_row().map(Driver::Postgres));
        let row = row.ok_or_else(|| DbErr::Type("a row of an unknown database".into()))?;
        Ok(Self { row, next: 0 })
    }

    pub(crate) fn next<T>(&mut self) -> Result<T, DbErr>
    where
        T: Type<Sqlite> + Decode<'r, Sqlite> + Type<Postgres> + Decode<'r, Postgres>,
    {
        let position = self.next;
        self.next += 1;
        let value = match self.row {
            Driver::Sqlite(row) => row.try_get(position),
            Driver::Postgres(row) => row.try_get(position),
        };
        value.map_err(|error: sqlx::Error| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))
    }
}

/// Implements [`OrderedColumns`] for tables, each with its columns in their order.
macro_rules! ordered_columns {
    ($($table:ident { $($field:ident),* $(,)? $(; $($unread:ident),*)? })*) => {
        $(
            impl $crate::rows::OrderedColumns for $table::Entity {
                fn columns() -> Vec<$table::Column> {
                    vec![$($table::COLUMN.$field.0),*]
                }

                fn read(row: &::sea_orm::QueryResult) -> Result<$table::Model, ::sea_orm::DbErr> {
                    let mut decoder = $crate::rows::RowDecoder::of(row)?;
                    Ok($table::Model {
                        $($field: decoder.next()?,)*
                        $($($unread: Default::default(),)*)?
                    })
                }
            }
        )*
    };
}
pub(crate) use ordered_columns;
