use entity::member;
use sea_orm::ActiveValue::Set;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Member, MemberInput, end_access, ensure_may_grant, ensure_may_manage, ensure_not_last_owner,
    repository,
};
use crate::{
    actor::Actor,
    attachment::{self, ParentKind},
    error::Result,
    event::Verb,
    identity::{api_key, invitation, rate},
    input::{Change, Create},
    resource::{Changeable, Readable, Resource, Writable, versioned},
    role::{Permission, Role},
    store::{
        Store, Tx, log,
        page::{Page, PageQuery},
        stored::StoredWord,
        versioned::{self, Expected},
    },
    text::fold,
};

versioned!(Member);

impl Resource for Member {
    const ENTITY: &'static str = "member";
    const READ: Permission = Permission::ReadMembers;
    const VERBS: &'static [Verb] =
        &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Joined, Verb::Deleted];

    fn redact(actor: &Actor, data: &mut Map<String, Value>) {
        let id = data.get("id").and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok());
        if !Self::shown_whole(actor, id) {
            for name in ["hourly_rate_minor", "external_ref"] {
                data.entry(name).and_modify(|value| *value = Value::Null);
            }
        }
    }
}

impl Readable for Member {
    type Query = PageQuery;

    /// The member.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let row = repository::get(store.read(), actor.organization_id, id).await?;
        Ok(Self::try_from(row)?.redacted_for(actor))
    }

    /// The members by name.
    async fn list(store: &Store, actor: &Actor, page: &PageQuery) -> Result<Page<Self>> {
        let page = repository::list(store.read(), actor.organization_id, page).await?;
        page.try_map(|row| Ok(Self::try_from(row)?.redacted_for(actor)))
    }
}

/// One manages those whose role is not above one's own, and oneself.
impl Changeable for Member {
    type Input = MemberInput;
    const WRITE: Permission = Permission::ReadMembers;

    fn input(&self) -> MemberInput {
        MemberInput {
            name: self.name.clone(),
            role: self.role,
            active: self.active,
            hourly_rate_minor: self.hourly_rate_minor,
            external_ref: self.external_ref.clone(),
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        Ok(Self::try_from(row)?.redacted_for(actor))
    }

    /// Without the permission to manage members, one may rename oneself, and leave, in person. Who
    /// is no longer active has lost for good what let them in; who may no longer invite, the
    /// invitations that are still open.
    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<MemberInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        ensure_may_manage(actor, &row)?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let before = current.input();
        let after = change.apply(&before)?;
        may_change(actor, &before, &after)?;
        if !(after.role == Role::Owner && after.active) {
            ensure_not_last_owner(tx, &row).await?;
        }
        tx.invalidate_access();
        let invites = |role: Role| role.may(Permission::ManageInvitations);
        let invites_no_more = invites(before.role) && !invites(after.role);
        let is_active = after.active;
        let changed =
            versioned::update(tx, actor, change.verb(), &row, columns(after), Self::try_from)
                .await?;
        if before.active != is_active {
            end_access(tx, actor, &row, is_active).await?;
        } else if invites_no_more {
            invitation::end_of_member(tx, actor, row.id).await?;
        }
        if changed.hourly_rate_minor != before.hourly_rate_minor {
            rate::set(tx, actor, &changed).await?;
        }
        Ok(changed.redacted_for(actor))
    }
}

impl Writable for Member {
    const IN_USE: &'static str =
        "other resources refer to the member; deactivate the member instead";

    /// Without a login; an invitation gives them one.
    async fn create(tx: &Tx, actor: &Actor, new: &Create<MemberInput>) -> Result<Self> {
        actor.require(Permission::ManageMembers)?;
        ensure_may_grant(actor, new.input.role)?;
        let now = tx.now().fixed_offset();
        let row = member::ActiveModel {
            organization_id: Set(actor.organization_id),
            id: Set(log::new_id::<Self>(tx, actor.organization_id, new.id).await?),
            user_id: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            ..columns(new.input.clone())
        };
        let made = versioned::insert(tx, actor, row, Self::try_from).await?;
        if made.hourly_rate_minor.is_some() {
            rate::set(tx, actor, &made).await?;
        }
        Ok(made.redacted_for(actor))
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let row = repository::get(tx, actor.organization_id, id).await?;
        ensure_may_manage(actor, &row)?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        ensure_not_last_owner(tx, &row).await?;
        tx.invalidate_access();
        api_key::end_of_member(tx, actor, row.id).await?;
        invitation::end_of_member(tx, actor, row.id).await?;
        rate::remove_all(tx, actor, &row).await?;
        attachment::delete_all(tx, actor, ParentKind::Member, id).await?;
        versioned::delete(tx, actor, &row, &current).await
    }
}

/// Who may change the member adds, renames and removes files of theirs.
pub(crate) async fn ensure_attachable(tx: &Tx, actor: &Actor, id: Uuid) -> Result<()> {
    actor.require(Permission::ManageMembers)?;
    let row = repository::get(tx, actor.organization_id, id).await?;
    ensure_may_manage(actor, &row)
}

fn columns(input: MemberInput) -> member::ActiveModel {
    let MemberInput { name, role, active, hourly_rate_minor, external_ref } = input;
    member::ActiveModel {
        name_key: Set(fold(&name)),
        name: Set(name),
        role: Set(role.as_str().to_owned()),
        active: Set(active),
        hourly_rate_minor: Set(hourly_rate_minor),
        external_ref: Set(external_ref),
        ..Default::default()
    }
}

fn may_change(actor: &Actor, before: &MemberInput, after: &MemberInput) -> Result<()> {
    if actor.may(Permission::ManageMembers) {
        return if before.role == after.role {
            Ok(())
        } else {
            ensure_may_grant(actor, after.role)
        };
    }
    let managed = before.role != after.role
        || before.hourly_rate_minor != after.hourly_rate_minor
        || before.external_ref != after.external_ref
        || (!before.active && after.active);
    if managed { actor.require(Permission::ManageMembers) } else { Ok(()) }
}
