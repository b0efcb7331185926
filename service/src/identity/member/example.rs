use super::{Member, MemberInput};
use crate::{example, role::Role};

impl MemberInput {
    pub(super) fn example() -> Self {
        Self {
            name: "Grace Hopper".to_owned(),
            role: Role::Member,
            active: true,
            hourly_rate_minor: Some(4500),
            external_ref: example::some("E-1017"),
        }
    }
}

impl Member {
    pub(super) fn example() -> Self {
        let MemberInput { name, role, active, hourly_rate_minor, external_ref } =
            MemberInput::example();
        Self {
            id: example::MEMBER,
            version: 1,
            user_id: None,
            name,
            role,
            active,
            hourly_rate_minor,
            external_ref,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}
