//! The few things that the two databases do not say alike.

use entity::TenantEntity;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, ExprTrait, QueryFilter,
    sea_query::{Expr, Func},
};

use uuid::Uuid;

use super::Tx;

/// Makes whoever else writes to a table wait until this transaction ends. It comes first in the
/// transaction, which then sees what the others wrote. SQLite has one writer anyway.
pub async fn lock_table(tx: &Tx, table: &str) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let statement = format!(r#"LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE"#);
        tx.execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// Makes whoever writes one of these rows begin again, if that began before this transaction ends: what has been
/// written here beside the rows would not be seen there. A lock alone lets others go on with what they saw before.
/// SQLite has one writer anyway.
pub async fn claim_rows<E: TenantEntity>(
    tx: &Tx,
    organization_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        E::update_many()
            .col_expr(E::ID, Expr::col(E::ID))
            .filter(E::ORGANIZATION_ID.eq(organization_id))
            .filter(E::ID.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// The month of a day, as `2026-11`.
pub fn month(backend: DbBackend, day: impl Into<Expr>) -> Expr {
    match backend {
        // SQLite keeps days as text, year first.
        DbBackend::Sqlite => Func::cust("substr").arg(day).arg(1).arg(7).into(),
        _ => Func::cust("to_char").arg(day).arg("YYYY-MM").into(),
    }
}

/// A day, as `2026-11-21`.
pub fn day(backend: DbBackend, day: impl Into<Expr>) -> Expr {
    match backend {
        // As SQLite keeps it.
        DbBackend::Sqlite => day.into(),
        _ => Func::cust("to_char").arg(day).arg("YYYY-MM-DD").into(),
    }
}

/// Whether `text` contains `part`, to the letter. Both sides are folded already.
///
/// Not with LIKE on SQLite, whose LIKE ignores the case of ASCII and takes U+FFFD, U+FFFE and U+FFFF for one
/// character. With it on PostgreSQL, which knows how frequent a pattern is, and finds one by an index of trigrams where
/// the operator has made one (docs/decisions/0026).
pub fn contains(backend: DbBackend, text: impl Into<Expr>, part: &str) -> Expr {
    let text: Expr = text.into();
    match backend {
        DbBackend::Sqlite => Expr::from(Func::cust("instr").arg(text).arg(part)).gt(0),
        _ => text.like(format!("%{}%", escaped(part))),
    }
}

/// The pattern of LIKE that a text alone matches.
fn escaped(text: &str) -> String {
    let is_special = |c: char| matches!(c, '\\' | '%' | '_');
    text.chars().flat_map(|c| is_special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// The same value, by which SQLite chooses no index
/// (<https://www.sqlite.org/optoverview.html>, section 11.1): PostgreSQL knows how many rows there are of each.
pub fn unindexed(backend: DbBackend, value: Expr) -> Expr {
    match backend {
        DbBackend::Sqlite => Expr::cust_with_expr("+?", value),
        _ => value,
    }
}

/// The sum of 64-bit integers, in two halves that cannot overflow: multiples of 2^32, and the rest.
/// PostgreSQL gives sums a type of its own, and SQLite fails on one that is too large.
pub fn sum_halves(amount: Expr) -> [Expr; 2] {
    [sum(amount.clone().div(HALF)), sum(amount.modulo(HALF))]
}

/// The sum of 64-bit integers that cannot overflow, of which PostgreSQL's has a type of its own.
pub fn sum(integer: impl Into<Expr>) -> Expr {
    Func::coalesce([Func::sum(integer).into(), Expr::val(0_i64)]).cast_as("bigint")
}

/// The halves of a sum, as [`sum_halves`] gives them.
pub fn halves(sum: i128) -> [i64; 2] {
    let half = i128::from(HALF);
    let [high, low] = [sum / half, sum % half];
    [i64::try_from(high).unwrap_or(i64::MAX), i64::try_from(low).unwrap_or_default()]
}

const HALF: i64 = 1 << 32;

/// The sum of which [`sum_halves`] gave the halves.
pub fn join_halves([high, low]: [i64; 2]) -> i128 {
    i128::from(high) * i128::from(HALF) + i128::from(low)
}

/// A UUID that may be a bare NULL, of which PostgreSQL must be told the type.
pub fn nullable_uuid(backend: DbBackend, value: Expr) -> Expr {
    match backend {
        DbBackend::Sqlite => value,
        _ => value.cast_as("uuid"),
    }
}

/// A text that may be a bare NULL, of which PostgreSQL must be told the type.
pub fn nullable_text(backend: DbBackend, value: Expr) -> Expr {
    match backend {
        DbBackend::Sqlite => value,
        _ => value.cast_as("text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_pattern_is_escaped() {
        assert_eq!(escaped("50 % of a_b\\c"), "50 \\% of a\\_b\\\\c");
        assert_eq!(escaped("größe"), "größe");
    }
}
