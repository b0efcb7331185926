use super::{JournalEntry, JournalEntryInput, Transfer};
use crate::example;

impl JournalEntryInput {
    pub(super) fn example() -> Self {
        let transfer = Transfer {
            debit_account_id: example::MATERIALS,
            credit_account_id: example::BANK,
            amount_minor: 4990,
            currency: "EUR".to_owned(),
        };
        Self {
            occurred_on: example::day(),
            memo: example::some("Wood screws and hinges"),
            reference: example::some("2026-0417"),
            transfers: vec![transfer],
        }
    }
}

impl JournalEntry {
    pub(super) fn example() -> Self {
        let JournalEntryInput { occurred_on, memo, reference, transfers } =
            JournalEntryInput::example();
        Self {
            id: example::JOURNAL_ENTRY,
            version: 1,
            occurred_on,
            memo,
            reference,
            transfers,
            reverses_id: None,
            reversed_by_id: None,
            created_at: example::at(8),
            updated_at: example::at(8),
        }
    }
}
