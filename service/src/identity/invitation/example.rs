use super::{Invitation, InvitationInput, IssuedInvitation};
use crate::{example, role::Role};

impl InvitationInput {
    pub(super) fn example() -> Self {
        Self {
            email: example::some("alan@example.org"),
            role: Role::Manager,
            member_id: None,
            expires_in_days: 7,
        }
    }
}

impl Invitation {
    pub(super) fn example() -> Self {
        let InvitationInput { email, role, member_id, expires_in_days } =
            InvitationInput::example();
        Self {
            id: example::INVITATION,
            version: 1,
            email,
            role,
            member_id,
            expires_at: example::at(7 + expires_in_days * 24),
            accepted_at: None,
            accepted_by_member_id: None,
            created_by_member_id: Some(example::MEMBER),
            created_by_api_key_id: None,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}

impl IssuedInvitation {
    pub(super) fn example() -> Self {
        Self { token: "stw_i_EXAMPLE".to_owned(), invitation: Invitation::example() }
    }
}
