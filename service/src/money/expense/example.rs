use super::{Expense, ExpenseInput, ExpenseItem, Kind, Status};
use crate::example;

impl ExpenseInput {
    pub(super) fn example() -> Self {
        let item = |name: &str, amount_minor| ExpenseItem {
            name: name.to_owned(),
            quantity_milli: Some(2000),
            unit: example::some("box"),
            amount_minor,
            category_id: None,
            project_id: None,
        };
        Self {
            kind: Kind::Purchase,
            member_id: Some(example::MEMBER),
            category_id: Some(example::CATEGORY),
            project_id: Some(example::PROJECT),
            spent_on: example::day(),
            amount_minor: 4990,
            currency: example::some("EUR"),
            merchant: example::some("Hardware store"),
            payment_method: example::some("cash"),
            note: example::some("For the cabinets"),
            place: example::some("Zürich"),
            latitude: Some(47.3769),
            longitude: Some(8.5417),
            details: None,
            items: vec![item("Wood screws", 1990), item("Hinges", 3000)],
            tags: vec!["kitchen".to_owned()],
        }
    }
}

impl Expense {
    pub(super) fn example() -> Self {
        let input = ExpenseInput::example();
        Self {
            id: example::EXPENSE,
            version: 1,
            kind: input.kind,
            status: Status::Draft,
            member_id: example::MEMBER,
            category_id: input.category_id,
            project_id: input.project_id,
            spent_on: input.spent_on,
            amount_minor: input.amount_minor,
            currency: input.currency.unwrap_or_default(),
            merchant: input.merchant,
            payment_method: input.payment_method,
            note: input.note,
            place: input.place,
            latitude: input.latitude,
            longitude: input.longitude,
            details: input.details,
            items: input.items,
            tags: input.tags,
            created_by_member_id: Some(example::MEMBER),
            changed_by_member_id: None,
            submitted_at: None,
            submitted_by_member_id: None,
            decided_at: None,
            decided_by_member_id: None,
            decision_note: None,
            reimbursed_at: None,
            payout_saga_id: None,
            payout_error: None,
            created_at: example::at(8),
            updated_at: example::at(8),
        }
    }
}
