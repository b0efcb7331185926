//! Meters, their readings, and what is made of these.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [meter(), meter_state(), meter_exchange(), reading_correction()];
        for table in tables {
            manager.create_table(table).await?;
        }
        for mut table in [reading(), reading_rollup()] {
            // The rows are small and read by their key alone: in its order, and without a second tree.
            if manager.get_database_backend() == DbBackend::Sqlite {
                table.extra("WITHOUT ROWID");
            }
            manager.create_table(table).await?;
        }
        order_by_bytes(manager, "meter", &[("name_key", 300)]).await?;
        for index in
            [index("meter", &["name_key", "id"]), index("meter", &["project_id", "name_key"])]
        {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "reading_rollup",
            "reading",
            "reading_correction",
            "meter_exchange",
            "meter_state",
            "meter",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// Values are whole units of the last digit that the precision says.
fn meter() -> TableCreateStatement {
    versioned(owned_table("meter"))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(string_len("unit", 50))
        .col(word("kind", &["gauge", "counter", "delta"]))
        .col(id_null("project_id"))
        .col(string_len_null("place", 200))
        .col(big_integer_null("interval_seconds"))
        .col(big_integer("precision"))
        .col(word("on_drop", &["rollover", "reset", "ask"]))
        .col(big_integer_null("rollover_at"))
        .col(word("on_conflict", &["reject", "replace"]))
        .col(big_integer_null("low"))
        .col(big_integer_null("high"))
        .col(big_integer("hysteresis"))
        .foreign_key(&mut reference("meter", "project_id", "project"))
        .take()
}

/// One for each meter: who changes readings holds it, so that the changes of one meter come one after the other.
/// It goes with the meter, and does not refer to the organization: sea-orm-cli would take it for a junction.
fn meter_state() -> TableCreateStatement {
    let meter = reference("meter_state", "id", "meter");
    loose_table("meter_state")
        .col(big_integer("readings"))
        .col(big_integer_null("last_at"))
        .col(big_integer_null("last_value"))
        .col(word("excursion", &["none", "low", "high"]))
        .foreign_key(meter.to_owned().on_delete(ForeignKeyAction::Cascade))
        .take()
}

/// Where a counter began anew. Instants are microseconds since 1970.
fn meter_exchange() -> TableCreateStatement {
    let meter = reference("meter_exchange", "meter_id", "meter");
    keyed("meter_exchange", [id("meter_id"), big_integer("at")])
        .col(word("kind", &["rollover", "reset", "exchange", "undecided"]))
        .col(big_integer("before"))
        .col(big_integer("after"))
        .col(boolean("by_rule"))
        .col(id_null("decided_by_member_id"))
        .col(big_integer_null("decided_at"))
        .foreign_key(meter.to_owned().on_delete(ForeignKeyAction::Cascade))
        .take()
}

/// What a reading was before.
fn reading_correction() -> TableCreateStatement {
    let meter = reference("reading_correction", "meter_id", "meter");
    keyed("reading_correction", [id("meter_id"), big_integer("at"), id("correction_id")])
        .col(big_integer("corrected_at"))
        .col(big_integer("before"))
        .col(big_integer("after"))
        .col(string_len("author", 16))
        .col(id_null("author_id"))
        .foreign_key(meter.to_owned().on_delete(ForeignKeyAction::Cascade))
        .take()
}

/// No foreign keys: who writes one holds the row of the meter's state, which has them.
fn reading() -> TableCreateStatement {
    by_meter("reading", &["at"]).col(big_integer("value")).take()
}

/// What the readings of a quarter of an hour, or of an hour, of UTC come to; none where there are no readings. Sums
/// are in two halves, as they are read.
fn reading_rollup() -> TableCreateStatement {
    by_meter("reading_rollup", &["width_seconds", "starts_at"])
        .col(big_integer("count"))
        .col(big_integer("first_at"))
        .col(big_integer("first_value"))
        .col(big_integer("last_at"))
        .col(big_integer("last_value"))
        .col(big_integer("min"))
        .col(big_integer("max"))
        .col(big_integer("sum_high"))
        .col(big_integer("sum_low"))
        .col(big_integer("integral_high"))
        .col(big_integer("integral_low"))
        .col(big_integer("consumption_high"))
        .col(big_integer("consumption_low"))
        .take()
}

/// A table whose key is the organization, the meter and these integers.
fn by_meter(name: &'static str, key: &[&'static str]) -> TableCreateStatement {
    let mut table =
        Table::create().table(name).col(id("organization_id")).col(id("meter_id")).take();
    let mut primary = Index::create().col("organization_id").col("meter_id").take();
    for column in key {
        primary.col(*column);
        table.col(big_integer(*column));
    }
    table.primary_key(&mut primary).take()
}
