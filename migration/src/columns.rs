//! The column types that mean the same on SQLite and on PostgreSQL, and the shape of a tenant's
//! table. Migrations use these and nothing else (docs/architecture.md, "One schema").

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema;
use sea_orm_migration::sea_orm::DbBackend;

/// The largest amount of minor units: 2^53 - 1, the last integer that every JSON client reads
/// exactly.
pub(crate) const LARGEST_AMOUNT: i64 = 9_007_199_254_740_991;

/// A UUID that is there.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    schema::uuid(name)
}

/// A UUID that may be missing.
pub(crate) fn id_null(name: &'static str) -> ColumnDef {
    schema::uuid_null(name)
}

/// A count of minor units of a currency, 1 to 2^53 - 1.
pub(crate) fn amount(name: &'static str) -> ColumnDef {
    let mut column = schema::big_integer(name);
    column.check(Expr::col(name).between(1, LARGEST_AMOUNT));
    column
}

/// An ISO 4217 code.
pub(crate) fn currency() -> ColumnDef {
    schema::string_len("currency", 3)
}

/// One of a fixed set of words.
pub(crate) fn word(name: &'static str, words: &[&'static str]) -> ColumnDef {
    let mut column = schema::string_len(name, 16);
    column.check(Expr::col(name).is_in(words.iter().copied()));
    column
}

/// The SHA-256 of a secret, in hexadecimal. Text, because sea-orm-cli 2.0.4 reads no type of bytes
/// the same from both databases.
pub(crate) fn hash(name: &'static str) -> ColumnDef {
    schema::string_len(name, 64)
}

/// An instant, UTC, to the microsecond.
pub(crate) fn instant(name: &'static str) -> ColumnDef {
    schema::timestamp_with_time_zone(name)
}

/// An instant that may be missing.
pub(crate) fn instant_null(name: &'static str) -> ColumnDef {
    schema::timestamp_with_time_zone_null(name)
}

/// A table of no organization, with a key of its own.
pub(crate) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).col(schema::pk_uuid("id")).take()
}

/// A table whose key leads with the organization, if there is one: what happens to users is of none,
/// and has the nil UUID there. Such a table refers to nothing.
pub(crate) fn loose_table(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(id("organization_id"))
        .col(id("id"))
        .primary_key(Index::create().col("organization_id").col("id"))
        .take()
}

/// A table that belongs to organizations: its key leads with the organization, and its rows go
/// when the organization goes.
pub(crate) fn owned_table(name: &'static str) -> TableCreateStatement {
    loose_table(name)
        .foreign_key(
            ForeignKey::create()
                .from(name, "organization_id")
                .to("organization", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// A key of the organization and of more than an id.
pub(crate) fn keyed(
    name: &'static str,
    key: impl IntoIterator<Item = ColumnDef>,
) -> TableCreateStatement {
    let mut table = Table::create().table(name).col(id("organization_id")).take();
    let mut primary = Index::create().col("organization_id").take();
    for column in key {
        primary.col(column.get_column_name());
        table.col(column);
    }
    table
        .primary_key(&mut primary)
        .foreign_key(
            ForeignKey::create()
                .from(name, "organization_id")
                .to("organization", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// Adds what a table needs whose rows clients change: an optimistic version from 1, and when the
/// row was made and last changed.
pub(crate) fn versioned(mut table: TableCreateStatement) -> TableCreateStatement {
    let mut version = schema::big_integer("version");
    version.check(Expr::col("version").gte(1));
    table.col(version).col(instant("created_at")).col(instant("updated_at")).take()
}

/// A reference from one tenant's row to another of the same tenant: the database refuses a row
/// that points into another organization.
pub(crate) fn reference(
    from: &'static str,
    column: &'static str,
    to: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(from, ("organization_id", column))
        .to(to, ("organization_id", "id"))
        .to_owned()
}

/// An index over the organization and the columns given.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("idx-{table}-{}", columns.join("-"))).table(table).col("organization_id");
    for column in columns {
        index.col(*column);
    }
    index
}

/// A unique index over the organization and the columns given.
pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(table, columns).name(format!("unq-{table}-{}", columns.join("-"))).unique().to_owned()
}

/// Gives text columns that are sorted or compared the order of their bytes on PostgreSQL, as
/// SQLite has it, whatever the collation of the database.
pub(crate) async fn order_by_bytes(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[(&str, u32)],
) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let connection = manager.get_connection();
    for (column, length) in columns {
        connection
            .execute_unprepared(&format!(
                r#"ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE varchar({length}) COLLATE "C""#
            ))
            .await?;
    }
    Ok(())
}
