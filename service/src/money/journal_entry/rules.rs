//! What an entry does to accounts, and what they allow: pure.

use std::collections::{BTreeMap, HashMap};

use entity::{account, account_balance};
use uuid::Uuid;

use super::Transfer;
use crate::{
    error::{Error, Result, Violation, Violations},
    money::account::Kind,
    store::stored,
};

/// What an entry adds to an account's running sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Movement {
    /// To its debits.
    pub debits_minor: i64,
    /// To its credits.
    pub credits_minor: i64,
}

/// What the transfers of an entry add to each account, in the order of the accounts' ids: all entries
/// touch accounts in this order, so that no two wait for each other.
///
/// # Errors
/// Where a transfer goes from an account to itself.
pub fn movements(transfers: &[Transfer]) -> Result<BTreeMap<Uuid, Movement>> {
    let mut movements: BTreeMap<Uuid, Movement> = BTreeMap::new();
    for (index, transfer) in transfers.iter().enumerate() {
        let Transfer { debit_account_id, credit_account_id, amount_minor, currency: _ } = transfer;
        if debit_account_id == credit_account_id {
            let at = format!("/transfers/{index}/credit_account_id");
            return Err(Error::invalid(at, "same_account", "must not be the debited account"));
        }
        // At most 200 transfers of less than 2^53 each.
        movements.entry(*debit_account_id).or_default().debits_minor += amount_minor;
        movements.entry(*credit_account_id).or_default().credits_minor += amount_minor;
    }
    Ok(movements)
}

/// The same transfers the other way round.
pub fn reversed(transfers: &[Transfer]) -> Vec<Transfer> {
    let other_way = |transfer: &Transfer| Transfer {
        debit_account_id: transfer.credit_account_id,
        credit_account_id: transfer.debit_account_id,
        ..transfer.clone()
    };
    transfers.iter().map(other_way).collect()
}

/// Whether the accounts are there and of the transfers' currencies.
///
/// # Errors
/// [`Error::Invalid`] with each place where that is not so.
pub fn accounts_fit(
    transfers: &[Transfer],
    accounts: &HashMap<Uuid, account::Model>,
) -> Result<()> {
    let mut violations = Violations::new();
    for (index, transfer) in transfers.iter().enumerate() {
        for (side, id) in
            [("debit", transfer.debit_account_id), ("credit", transfer.credit_account_id)]
        {
            let at = format!("/transfers/{index}/{side}_account_id");
            match accounts.get(&id) {
                None => violations.push(Violation::new(
                    at,
                    "unknown",
                    "must identify an account of the organization",
                )),
                Some(account) if account.currency != transfer.currency => {
                    let message = format!("is an account in {}", account.currency);
                    violations.push(Violation::new(at, "currency", message));
                }
                Some(_) => {}
            }
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

/// Whether an account allows what has been posted to it; `sums` are those after the entry, if they
/// can be kept.
///
/// # Errors
/// [`Error::State`] where it is closed, is overdrawn by this, or would have more than can be counted.
pub fn allowed(
    account: &account::Model,
    movement: Movement,
    sums: Option<&account_balance::Model>,
) -> Result<()> {
    let id = account.id;
    if account.closed {
        return Err(Error::state("account_closed", format!("the account {id} is closed")));
    }
    let Some(sums) = sums else {
        let detail = format!("the sums of the account {id} are out of range");
        return Err(Error::state("balance_overflow", detail));
    };
    let kind: Kind = stored::word(account::Column::Kind, id, &account.kind)?;
    let falls = kind.balance(movement.debits_minor, movement.credits_minor) < 0;
    let balance = kind.balance(sums.debits_minor, sums.credits_minor);
    if falls && balance < 0 && !account.may_go_below_zero {
        let detail = format!("the balance of the account {id} must not be negative");
        return Err(Error::state("account_overdrawn", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn transfers() -> impl Strategy<Value = Vec<Transfer>> {
        let transfer = (0..6_u128, 1..6_u128, 1..=crate::amount::MAX_AMOUNT_MINOR).prop_map(
            |(debit, further, amount_minor)| Transfer {
                debit_account_id: Uuid::from_u128(debit),
                credit_account_id: Uuid::from_u128((debit + further) % 6),
                amount_minor,
                currency: "EUR".into(),
            },
        );
        prop::collection::vec(transfer, 1..=200)
    }

    proptest! {
        #[test]
        fn an_entry_debits_as_much_as_it_credits(transfers in transfers()) {
            let movements = movements(&transfers).expect("no transfer goes nowhere");
            let sum = |side: fn(&Movement) -> i64| {
                movements.values().map(|movement| i128::from(side(movement))).sum::<i128>()
            };
            let amounts: i128 = transfers.iter().map(|it| i128::from(it.amount_minor)).sum();
            prop_assert_eq!(sum(|it| it.debits_minor), amounts);
            prop_assert_eq!(sum(|it| it.credits_minor), amounts);
        }

        #[test]
        fn a_reversal_undoes_what_it_reverses(transfers in transfers()) {
            let there = movements(&transfers).expect("movements");
            let back = movements(&reversed(&transfers)).expect("movements");
            for (account, movement) in there {
                prop_assert_eq!(back[&account].debits_minor, movement.credits_minor);
                prop_assert_eq!(back[&account].credits_minor, movement.debits_minor);
            }
        }
    }
}
