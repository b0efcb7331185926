//! Keyset pages: a cursor says after which row to go on, so that every row is met once, whatever is
//! inserted meanwhile.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, Utc};
use entity::Identified;
use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, DbBackend, ExprTrait, IdenStatic, IntoSimpleExpr,
    ModelTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select, Statement, Value,
    sea_query::{Alias, Expr, Query, SelectStatement, UnionType},
};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type, schema::SchemaType},
};
use uuid::Uuid;
use validator::Validate;

use super::{
    dialect,
    parts::{Found, Part, Rows},
    rows,
};
use crate::{
    error::{Error, Result},
    text,
};

/// How many items a page has if nobody says.
pub const DEFAULT_LIMIT: u64 = 50;
/// How many items a page has at most.
pub const MAX_LIMIT: u64 = 500;
/// How many characters a cursor has at most: it holds the text that a list is sorted by, of up to 200 characters.
pub const MAX_CURSOR_LENGTH: usize = 4096;

/// Page of a list.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// A column as filters are to name it that keep a list between bounds. Of two bounds on one column SQLite seeks
    /// the one that stands first, so that each page after the first would be looked for from the filter's on: there
    /// the cursor's is left as the only one that an index serves.
    pub fn bounded(&self, backend: DbBackend, column: impl IntoSimpleExpr) -> Expr {
        let column = column.into_simple_expr();
        if self.cursor.is_some() { dialect::unindexed(backend, column) } else { column }
    }
}

/// What a list can be asked for, a page of it included.
pub trait Paged {
    /// The page.
    fn page(&self) -> PageQuery;

    /// The same list from another page on.
    fn set_page(&mut self, page: PageQuery);
}

impl Paged for PageQuery {
    fn page(&self) -> PageQuery {
        self.clone()
    }

    fn set_page(&mut self, page: PageQuery) {
        *self = page;
    }
}

/// Implements [`Paged`] for queries that have a `limit` and a `cursor`.
#[doc(hidden)]
#[macro_export]
macro_rules! __paged {
    ($($query:ty),* $(,)?) => {$(
        impl $crate::store::page::Paged for $query {
            fn page(&self) -> $crate::store::page::PageQuery {
                $crate::store::page::PageQuery { limit: self.limit, cursor: self.cursor.clone() }
            }

            fn set_page(&mut self, page: $crate::store::page::PageQuery) {
                (self.limit, self.cursor) = (page.limit, page.cursor);
            }
        }
    )*};
}
pub use crate::__paged as paged;

/// Page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// Items of the page.
    pub items: Vec<T>,
    /// Value to pass as `cursor` for the next page; null on the last page.
    pub next_cursor: Option<String>,
}

/// Written by hand for the sake of the name and of the reference to the schema of the items: a derived
/// schema is called `Page_Expense`, and has the whole schema of the items within.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .description(Some("Items of the page."))
            .max_items(usize::try_from(MAX_LIMIT).ok());
        let next_cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some(
                "Value to pass as `cursor` for the next page; null on the last page.",
            ));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Page of a list."))
            .property("items", items)
            .required("items")
            .property("next_cursor", next_cursor)
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Page<T> {
    /// The same page with every item turned into another.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), next_cursor: self.next_cursor }
    }

    /// The same, where an item may not turn into another.
    pub fn try_map<U>(self, turn: impl FnMut(T) -> Result<U>) -> Result<Page<U>> {
        let items = self.items.into_iter().map(turn).collect::<Result<_>>()?;
        Ok(Page { items, next_cursor: self.next_cursor })
    }
}

/// In which order: a column that is never null, up or down, and the id in the end.
#[derive(Debug, Clone, Copy)]
pub struct Sort<C> {
    /// As the client writes it, so that a cursor of one order is refused in another.
    pub name: &'static str,
    /// The column.
    pub column: C,
    /// The largest first.
    pub descending: bool,
}

/// Where a page ended.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Cursor {
    #[serde(rename = "s")]
    sort: String,
    #[serde(rename = "v")]
    value: Key,
    #[serde(rename = "i")]
    id: Uuid,
}

/// The value of a column that lists are sorted by.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Key {
    Text(String),
    Number(i64),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Id(Uuid),
}

impl Key {
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::String(Some(text)) => Some(Self::Text(text)),
            Value::BigInt(Some(number)) => Some(Self::Number(number)),
            Value::ChronoDate(Some(day)) => Some(Self::Day(day)),
            Value::ChronoDateTimeWithTimeZone(Some(at)) => Some(Self::Instant(at.to_utc())),
            Value::Uuid(Some(id)) => Some(Self::Id(id)),
            _ => None,
        }
    }

    /// Whether a row could have it in such a column: what a client made up must not reach PostgreSQL,
    /// which fails on another type and on instants that it cannot say.
    fn fits(&self, column: &ColumnType) -> bool {
        match (self, column) {
            (Self::Text(text), ColumnType::String(_)) => !text.contains('\0'),
            (Self::Number(_), ColumnType::BigInteger) | (Self::Id(_), ColumnType::Uuid) => true,
            (Self::Day(day), ColumnType::Date) => text::day(day).is_ok(),
            (Self::Instant(at), ColumnType::TimestampWithTimeZone) => {
                text::day(&at.date_naive()).is_ok()
            }
            _ => false,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
            Self::Day(day) => day.into(),
            Self::Instant(at) => at.fixed_offset().into(),
            Self::Id(id) => id.into(),
        }
    }
}

impl Cursor {
    fn encode(&self) -> Result<String> {
        let json = serde_json::to_vec(self)
            .map_err(|error| Error::Internal(format!("a cursor cannot be written: {error}")))?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }

    fn decode<C: ColumnTrait>(text: &str, sort: Sort<C>) -> Result<Self> {
        let cursor: Option<Self> = Some(text)
            .filter(|text| text.len() <= MAX_CURSOR_LENGTH)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .and_then(|json| serde_json::from_slice(&json).ok())
            .filter(|cursor: &Self| cursor.sort == sort.name)
            .filter(|cursor| cursor.value.fits(sort.column.def().get_column_type()));
        cursor.ok_or_else(|| {
            Error::invalid(
                "?cursor",
                "cursor",
                "must be the next_cursor of a page in the same order",
            )
        })
    }
}

/// Where the column that a list is sorted by is read, and the id: in the table of the rows, or in another
/// that has the same values and an index of its own over them.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// The column.
    pub column: Expr,
    /// The id.
    pub id: Expr,
}

impl SortKey {
    /// In the table of the rows.
    pub fn of<E: Identified>(column: E::Column) -> Self {
        Self::new(column, E::ID)
    }

    /// In the columns of another.
    pub fn new(column: impl IntoSimpleExpr, id: impl IntoSimpleExpr) -> Self {
        Self { column: column.into_simple_expr(), id: id.into_simple_expr() }
    }
}

/// The page of `rows` that `query` asks for, in one statement.
pub async fn page<E: Identified>(
    connection: &impl ConnectionTrait,
    rows: impl Into<Rows<E>>,
    sort: Sort<E::Column>,
    query: &PageQuery,
) -> Result<Page<E::Model>> {
    let page = select_page(connection.get_database_backend(), rows.into(), sort, query)?;
    let items = rows::all_selected::<E>(connection, &page).await?;
    into_page::<E>(items, sort, query)
}

/// The one statement of [`page`], to ask the database what it makes of it.
pub fn page_statement<E: Identified>(
    backend: DbBackend,
    rows: impl Into<Rows<E>>,
    sort: Sort<E::Column>,
    query: &PageQuery,
) -> Result<Statement> {
    Ok(backend.build(&select_page(backend, rows.into(), sort, query)?))
}

/// A page of each part, and of these the first rows: an `OR` would have all rows of all parts read and sorted.
fn select_page<E: Identified>(
    backend: DbBackend,
    rows: Rows<E>,
    sort: Sort<E::Column>,
    query: &PageQuery,
) -> Result<SelectStatement> {
    let pages = rows.parts.into_iter().map(|part| part_query(backend, part, sort, query));
    let mut pages = pages.collect::<Result<Vec<_>>>()?;
    if pages.len() == 1 {
        return Ok(pages.remove(0));
    }
    let union = if rows.deduplicated { UnionType::Distinct } else { UnionType::All };
    let mut parts = pages.into_iter().zip(0..).map(|(page, number)| {
        let name = Alias::new(format!("part_{number}"));
        Query::select().expr(Expr::cust("*")).from_subquery(page, name).to_owned()
    });
    let no_rows = || Error::Internal("a list has no part".to_owned());
    let mut whole = parts.next().ok_or_else(no_rows)?;
    for part in parts {
        whole.union(union, part);
    }
    let order = order(sort);
    whole
        .order_by(Alias::new(sort.column.as_str()), order.clone())
        .order_by(Alias::new(E::ID.as_str()), order)
        .limit(limit(query) + 1);
    Ok(whole)
}

fn part_query<E: Identified>(
    backend: DbBackend,
    Part { rows, found }: Part<E>,
    sort: Sort<E::Column>,
    query: &PageQuery,
) -> Result<SelectStatement> {
    let in_order = SortKey::of::<E>(sort.column);
    let (rows, sort_key) = match found {
        Found::InOrder => (rows, in_order),
        Found::At(sort_key) => (rows, sort_key),
        Found::Null(column, next) if next == sort.column.as_str() => {
            (rows.order_by(column, order(sort)), in_order)
        }
        Found::Null(..) => (rows, in_order),
        // Or SQLite walks the index of the order, in which few of them are.
        Found::Few => {
            let column = dialect::unindexed(backend, in_order.column);
            (rows, SortKey { column, id: dialect::unindexed(backend, in_order.id) })
        }
    };
    Ok(rows::select(page_query(rows, sort, query, sort_key)?))
}

/// What was asked for is a row more than a page has.
fn into_page<E: Identified>(
    mut items: Vec<E::Model>,
    sort: Sort<E::Column>,
    query: &PageQuery,
) -> Result<Page<E::Model>> {
    let limit = limit(query);
    let more = items.len() as u64 > limit;
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = match items.last() {
        Some(last) if more => Some(cursor_at::<E>(sort, last)?.encode()?),
        _ => None,
    };
    Ok(Page { items, next_cursor })
}

fn limit(query: &PageQuery) -> u64 {
    query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
}

fn order<C>(sort: Sort<C>) -> Order {
    if sort.descending { Order::Desc } else { Order::Asc }
}

/// The rows of a page, and one more.
fn page_query<E: Identified>(
    rows: Select<E>,
    sort: Sort<E::Column>,
    query: &PageQuery,
    sort_key: SortKey,
) -> Result<Select<E>> {
    let order = order(sort);
    let rows = rows
        .order_by(sort_key.column.clone(), order.clone())
        .order_by(sort_key.id.clone(), order)
        .limit(limit(query) + 1);
    match &query.cursor {
        None => Ok(rows),
        Some(text) => {
            let after = Cursor::decode(text, sort)?;
            Ok(rows.filter(after_cursor(sort.descending, sort_key, after)))
        }
    }
}

fn after_cursor(descending: bool, sort_key: SortKey, after: Cursor) -> Expr {
    let here = Expr::tuple([sort_key.column, sort_key.id]);
    let there = Expr::tuple([Expr::val(after.value.into_value()), Expr::val(after.id)]);
    if descending { here.lt(there) } else { here.gt(there) }
}

fn cursor_at<E: Identified>(sort: Sort<E::Column>, row: &E::Model) -> Result<Cursor> {
    let key = |column| Key::of(row.get(column));
    match (key(sort.column), key(E::ID)) {
        (Some(value), Some(Key::Id(id))) => Ok(Cursor { sort: sort.name.to_owned(), value, id }),
        _ => Err(Error::Internal(format!("lists cannot be sorted by {}", sort.name))),
    }
}
