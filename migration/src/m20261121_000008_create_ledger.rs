//! Accounts, their running sums, and the journal: entries of one or more transfers.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [account(), account_balance(), journal_entry(), transfer()] {
            manager.create_table(table).await?;
        }
        order_by_bytes(manager, "account", &[("name_key", 300)]).await?;
        for index in [
            // What steward books itself goes to one account of each purpose and currency.
            unique("account", &["purpose", "currency"]),
            index("account", &["name_key", "id"]),
            // An entry is reversed once.
            unique("journal_entry", &["reverses_id"]),
            index("journal_entry", &["occurred_on", "id"]),
            unique("transfer", &["entry_id", "position"]),
            index("transfer", &["debit_account_id", "entry_id", "amount_minor"])
                .name("idx-transfer-debits")
                .to_owned(),
            index("transfer", &["credit_account_id", "entry_id", "amount_minor"])
                .name("idx-transfer-credits")
                .to_owned(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["transfer", "journal_entry", "account_balance", "account"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn account() -> TableCreateStatement {
    let purpose = {
        let mut column = string_len_null("purpose", 32);
        let purposes = ["reimbursements", "payouts_in_flight", "payout_account"];
        column.check(Expr::col("purpose").is_in(purposes));
        column
    };
    versioned(owned_table("account"))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(word("kind", &["asset", "liability", "equity", "income", "expense"]))
        .col(currency())
        .col(boolean("may_go_below_zero"))
        .col(boolean("closed"))
        .col(purpose)
        .take()
}

/// What was ever debited and credited to the account with the same id, in a row of its own: postings
/// are no changes of the account. Without a reference to it, which makes sea-orm-cli 2.0.4 take both tables
/// for ones that join others.
fn account_balance() -> TableCreateStatement {
    owned_table("account_balance").col(sum("debits_minor")).col(sum("credits_minor")).take()
}

fn sum(name: &'static str) -> ColumnDef {
    let mut column = big_integer(name);
    column.check(Expr::col(name).gte(0));
    column
}

fn journal_entry() -> TableCreateStatement {
    versioned(owned_table("journal_entry"))
        .col(date("occurred_on"))
        .col(string_len_null("memo", 500))
        .col(string_len_null("reference", 200))
        .col(id_null("reverses_id"))
        .col(id_null("reversed_by_id"))
        .foreign_key(&mut reference("journal_entry", "reverses_id", "journal_entry"))
        .foreign_key(&mut reference("journal_entry", "reversed_by_id", "journal_entry"))
        .take()
}

/// An amount from one account to another: both sides in one row, so that none is without the other.
fn transfer() -> TableCreateStatement {
    owned_table("transfer")
        .col(id("entry_id"))
        .col(big_integer("position"))
        .col(id("debit_account_id"))
        .col(id("credit_account_id"))
        .col(amount("amount_minor"))
        .col(currency())
        .check(Expr::col("debit_account_id").not_equals("credit_account_id"))
        .foreign_key(
            reference("transfer", "entry_id", "journal_entry").on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(&mut reference("transfer", "debit_account_id", "account"))
        .foreign_key(&mut reference("transfer", "credit_account_id", "account"))
        .take()
}
