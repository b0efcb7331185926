use super::{User, UserInput};
use crate::example;

impl UserInput {
    pub(super) fn example() -> Self {
        Self { email: "ada@example.org".to_owned(), display_name: "Ada Lovelace".to_owned() }
    }
}

impl User {
    pub(crate) fn example() -> Self {
        let UserInput { email, display_name } = UserInput::example();
        Self {
            id: example::USER,
            version: 1,
            email,
            display_name,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}
