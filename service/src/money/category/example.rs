use super::{Category, CategoryInput, Kind};
use crate::example;

impl CategoryInput {
    pub(super) fn example() -> Self {
        Self { name: "Materials".to_owned(), kind: Kind::Expense, parent_id: None }
    }
}

impl Category {
    pub(super) fn example() -> Self {
        let CategoryInput { name, kind, parent_id } = CategoryInput::example();
        Self {
            id: example::CATEGORY,
            version: 1,
            name,
            kind,
            parent_id,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}
