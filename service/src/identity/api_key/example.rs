use super::{ApiKey, ApiKeyInput, IssuedApiKey};
use crate::{example, role::Role};

impl ApiKeyInput {
    pub(super) fn example() -> Self {
        Self {
            name: "Bookkeeping export".to_owned(),
            role: Role::Viewer,
            expires_at: None,
            requests_per_minute: Some(600),
        }
    }
}

impl ApiKey {
    pub(super) fn example() -> Self {
        let ApiKeyInput { name, role, expires_at, requests_per_minute } = ApiKeyInput::example();
        Self {
            id: example::API_KEY,
            version: 1,
            name,
            role,
            member_id: example::MEMBER,
            expires_at,
            created_by_api_key_id: None,
            requests_per_minute,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

impl IssuedApiKey {
    pub(super) fn example() -> Self {
        Self { token: "stw_k_EXAMPLE".to_owned(), api_key: ApiKey::example() }
    }
}
