//! The rows of a list in parts, where an index has each part in the order of the list, but not all of them together:
//! of each no more is read than a page.

use sea_orm::{
    DbBackend, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, Select, Value, sea_query::Expr,
};

use super::{dialect, page::SortKey};

/// Values of which a column is to have one.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The values.
    pub values: Vec<Value>,
    /// Whether it may have none, too.
    pub or_null: bool,
}

impl Choice {
    /// One of some values.
    pub fn of<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        Self { values: values.into_iter().map(Into::into).collect(), or_null: false }
    }

    /// Whether a column has one of them.
    pub fn on(&self, column: impl IntoSimpleExpr) -> Expr {
        let column = column.into_simple_expr();
        let any = column.clone().is_in(self.values.iter().cloned());
        match (self.or_null, self.values.is_empty()) {
            (false, _) => any,
            (true, false) => any.or(column.is_null()),
            (true, true) => column.is_null(),
        }
    }
}

/// The rows of a list. Each is in one part, unless they are [`Rows::deduplicated`].
#[derive(Debug, Clone)]
pub struct Rows<E: EntityTrait> {
    pub(super) parts: Vec<Part<E>>,
    pub(super) deduplicated: bool,
}

/// Some of the rows, and how they are found in the order of the list.
#[derive(Debug, Clone)]
pub(super) struct Part<E: EntityTrait> {
    pub(super) rows: Select<E>,
    pub(super) found: Found,
}

#[derive(Debug, Clone)]
pub(super) enum Found {
    /// By the column that the list is sorted by.
    InOrder,
    /// By columns of another table that have the same.
    At(SortKey),
    /// By an index whose first column is null in all of them, and whose second is the one named. PostgreSQL takes
    /// none for the order of rows of which a column is null, unless they are sorted by that, too.
    Null(Expr, &'static str),
    /// They are few, whatever the order is.
    Few,
}

impl<E: EntityTrait> From<Select<E>> for Rows<E> {
    fn from(rows: Select<E>) -> Self {
        Self { parts: vec![Part { rows, found: Found::InOrder }], deduplicated: false }
    }
}

impl<E: EntityTrait> Rows<E> {
    /// Rows that are found in order by columns of another table, which has the same values and an index over them.
    pub fn at(rows: Select<E>, sort_key: SortKey) -> Self {
        Self { parts: vec![Part { rows, found: Found::At(sort_key) }], deduplicated: false }
    }

    /// Rows that are few, whatever the order is.
    pub fn few(rows: Select<E>) -> Self {
        Self { parts: vec![Part { rows, found: Found::Few }], deduplicated: false }
    }

    /// Few more.
    #[must_use]
    pub fn or_few(mut self, rows: Select<E>) -> Self {
        self.parts.push(Part { rows, found: Found::Few });
        self
    }

    /// Where a row may be in several parts.
    #[must_use]
    pub fn deduplicated(self) -> Self {
        Self { deduplicated: true, ..self }
    }

    /// Those that have one of some values in a column which begins an index that goes on with the order of the list.
    #[must_use]
    pub fn any_of(
        self,
        backend: DbBackend,
        column: impl IntoSimpleExpr,
        choice: Option<Choice>,
    ) -> Self {
        self.split(backend, column.into_simple_expr(), Found::InOrder, choice)
    }

    /// The same where the column may be null: `next` is the second column of the index.
    #[must_use]
    pub fn any_or_none(
        self,
        backend: DbBackend,
        [column, next]: [E::Column; 2],
        choice: Option<Choice>,
    ) -> Self {
        let column = column.into_simple_expr();
        let null = Found::Null(column.clone(), sea_orm::IdenStatic::as_str(&next));
        self.split(backend, column, null, choice)
    }

    fn split(
        mut self,
        backend: DbBackend,
        column: Expr,
        null: Found,
        choice: Option<Choice>,
    ) -> Self {
        let Some(choice) = choice else { return self };
        if self.parts.len() > 1 {
            // What finds the parts is to find them still.
            let is_one = choice.on(dialect::unindexed(backend, column));
            for part in &mut self.parts {
                part.rows = part.rows.clone().filter(is_one.clone());
            }
            return self;
        }
        let of = |part: &Part<E>, condition: Expr, found: &Found| {
            let found = if matches!(part.found, Found::InOrder) { found } else { &part.found };
            Part { rows: part.rows.clone().filter(condition), found: found.clone() }
        };
        let mut parts = Vec::new();
        for part in &self.parts {
            let values = choice.values.iter().cloned();
            parts.extend(values.map(|value| of(part, column.clone().eq(value), &Found::InOrder)));
            parts.extend(choice.or_null.then(|| of(part, column.clone().is_null(), &null)));
        }
        Self { parts, ..self }
    }
}
