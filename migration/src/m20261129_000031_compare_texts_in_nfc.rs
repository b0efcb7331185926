//! Texts that are canonically equal (UAX #15) are compared as one, and addresses by their domain in ASCII (IDNA):
//! what is compared of the rows that are there is written as of new ones. Where two rows would be one by that, the
//! second stays as it is compared so far, and its tag goes.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, QueryResult, prelude::Uuid},
};
use unicode_normalization::UnicodeNormalization;

/// How many rows one statement reads.
const BATCH_SIZE: u64 = 1000;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for key in KEYS {
            key.rewrite(manager).await?;
        }
        Ok(())
    }

    /// How a text was written before is not known, and finds as much.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Which other rows must have another key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unique {
    No,
    /// Those whose columns are these.
    Within(&'static [&'static str]),
    /// The key is a part of the primary key, and the row has nothing else.
    Tag(&'static [&'static str]),
}

/// A column in which a text is compared.
struct Key {
    table: &'static str,
    /// The columns that tell rows apart.
    id: &'static [&'static str],
    column: &'static str,
    /// The column that it is made of.
    source: &'static str,
    unique: Unique,
    make: fn(&str) -> String,
}

const TENANT: &[&str] = &["organization_id", "id"];
const ORGANIZATION: Unique = Unique::Within(&["organization_id"]);

const fn plain(table: &'static str, column: &'static str, unique: Unique) -> Key {
    Key { table, id: TENANT, column, source: column, unique, make: lower }
}

const fn tag(table: &'static str, id: &'static [&'static str]) -> Key {
    let (column, unique) = ("tag_key", Unique::Tag(id));
    Key { table, id, column, source: column, unique, make: lower }
}

const KEYS: &[Key] = &[
    Key {
        table: "user",
        id: &["id"],
        column: "email_key",
        source: "email",
        unique: Unique::Within(&[]),
        make: address_key,
    },
    plain("member", "name_key", Unique::No),
    plain("category", "name_key", Unique::No),
    plain("category", "sibling_key", ORGANIZATION),
    plain("budget", "name_key", Unique::No),
    plain("account", "name_key", Unique::No),
    plain("rule", "name_key", Unique::No),
    plain("project", "name_key", Unique::No),
    plain("project", "job_number_key", ORGANIZATION),
    plain("project", "search_key", Unique::No),
    plain("expense", "merchant_key", Unique::No),
    plain("expense", "search_key", Unique::No),
    plain("task", "search_key", Unique::No),
    plain("time_entry", "search_key", Unique::No),
    plain("daily_report", "search_key", Unique::No),
    Key {
        id: &["organization_id", "daily_report_id"],
        ..plain("daily_report_item", "search_key", Unique::No)
    },
    tag("expense_tag", &["organization_id", "expense_id"]),
    tag("task_tag", &["organization_id", "task_id"]),
    tag("time_entry_tag", &["organization_id", "time_entry_id"]),
];

fn lower(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.to_lowercase().replace('ς', "σ").nfc().collect()
}

fn address_key(address: &str) -> String {
    let domain = address.trim().rsplit_once('@').map(|(_, domain)| idna::domain_to_ascii(domain));
    let folded = lower(address.trim());
    match (folded.rsplit_once('@'), domain) {
        (Some((local, _)), Some(Ok(domain))) => format!("{local}@{domain}"),
        _ => folded,
    }
}

/// A row as it is found: its id, the key that it has, and what that is made of.
struct Row {
    id: Vec<Uuid>,
    key: String,
    source: String,
}

impl Key {
    async fn rewrite(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let mut last: Option<Row> = None;
        loop {
            let select = self.select(manager.get_database_backend(), last.as_ref());
            let found = connection.query_all(&select).await?;
            let rows = found.iter().map(|row| self.row(row)).collect::<Result<Vec<_>, _>>()?;
            for row in &rows {
                let key = (self.make)(&row.source);
                if key != row.key {
                    self.update(connection, row, &key).await?;
                }
            }
            let Some(end) = rows.into_iter().next_back() else { return Ok(()) };
            last = Some(end);
        }
    }

    /// The next rows that have a text which is not ASCII.
    fn select(&self, backend: DbBackend, last: Option<&Row>) -> SelectStatement {
        let bytes = match backend {
            DbBackend::Postgres => format!(r#"octet_length("{}")"#, self.source),
            _ => format!(r#"length(CAST("{}" AS BLOB))"#, self.source),
        };
        let characters = format!(r#"length("{}")"#, self.source);
        let order: Vec<_> = self.id.iter().chain([&self.column]).copied().collect();
        let mut select = Query::select();
        select
            .columns(order.iter().copied())
            .from(self.table)
            .and_where(Expr::cust(format!("{bytes} <> {characters}")))
            .limit(BATCH_SIZE);
        if self.source != self.column {
            select.column(self.source);
        }
        for column in &order {
            select.order_by(*column, Order::Asc);
        }
        if let Some(row) = last {
            let place = row.id.iter().map(|id| Expr::val(*id)).chain([Expr::val(row.key.as_str())]);
            let columns = order.iter().map(|column| Expr::col(*column));
            select.and_where(Expr::tuple(columns).gt(Expr::tuple(place)));
        }
        select
    }

    fn row(&self, found: &QueryResult) -> Result<Row, DbErr> {
        let id = self.id.iter().map(|column| found.try_get("", column));
        Ok(Row {
            id: id.collect::<Result<_, _>>()?,
            key: found.try_get("", self.column)?,
            source: found.try_get("", self.source)?,
        })
    }

    async fn update(
        &self,
        connection: &SchemaManagerConnection<'_>,
        row: &Row,
        key: &str,
    ) -> Result<(), DbErr> {
        let is_row = || {
            let id = self.id.iter().zip(&row.id);
            id.fold(
                Condition::all().add(Expr::col(self.column).eq(row.key.as_str())),
                |all, (column, id)| all.add(Expr::col(*column).eq(*id)),
            )
        };
        if let Unique::Within(scope) | Unique::Tag(scope) = self.unique {
            let same = Condition::all().add(Expr::col(self.column).eq(key));
            let columns = self.id.iter().zip(&row.id).filter(|(column, _)| scope.contains(column));
            let same =
                columns.fold(same, |same, (column, id)| same.add(Expr::col(*column).eq(*id)));
            let taken =
                Query::select().column(self.column).from(self.table).cond_where(same).to_owned();
            if connection.query_one(&taken).await?.is_some() {
                if matches!(self.unique, Unique::Tag(_)) {
                    let delete =
                        Query::delete().from_table(self.table).cond_where(is_row()).to_owned();
                    connection.execute(&delete).await?;
                }
                return Ok(());
            }
        }
        let update = Query::update()
            .table(self.table)
            .value(self.column, key)
            .cond_where(is_row())
            .to_owned();
        connection.execute(&update).await.map(drop)
    }
}
