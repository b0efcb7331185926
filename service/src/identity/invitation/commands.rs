use chrono::{DateTime, TimeDelta, Utc};
use entity::invitation;
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{Invitation, InvitationInput, IssuedInvitation, PREFIX, repository};
use crate::{
    actor::{Actor, Authentication},
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    identity::{
        access, api_key,
        member::{self, Member},
        user,
    },
    input::Create,
    random::Secret,
    resource::{Resource, versioned},
    role::{Permission, Role},
    store::{
        Store, Tx,
        log::{self, EventContext},
        stored::{self, StoredWord},
        versioned::{self, Expected},
    },
    text::address_key,
};

const NONE: Error = Error::NotFound("invitation");

versioned!(Invitation, IssuedInvitation: invitation);

impl Resource for Invitation {
    const ENTITY: &'static str = "invitation";
    const READ: Permission = Permission::ManageInvitations;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Accepted, Verb::Deleted];
}

/// Invites somebody. The token is in the answer, and nowhere else.
pub async fn create(
    store: WriteOnce<'_, IssuedInvitation>,
    actor: &Actor,
    new: Create<InvitationInput>,
) -> Result<IssuedInvitation> {
    let secret = access::tenant_token(store.random(), PREFIX, actor.organization_id);
    let token = secret.reveal().to_owned();
    let actor = actor.clone();
    let token_hash = secret.hash();
    store
        .write(async move |tx| {
            let InvitationInput { email, role, member_id, expires_in_days } = new.input.clone();
            member::ensure_may_grant(&actor, role)?;
            if let Some(member_id) = member_id {
                let organization_id = actor.organization_id;
                let found = versioned::find::<entity::member::Entity>;
                let invited = without_login(found(tx, organization_id, member_id).await?)?;
                member::ensure_may_manage(&actor, &invited)?;
            }
            api_key::lock_own_key(tx, &actor).await?;
            let now = tx.now();
            let mut expires_at = now + TimeDelta::days(expires_in_days);
            if let Authentication::ApiKey { expires_at: Some(own), .. } = actor.authentication {
                expires_at = expires_at.min(own);
            }
            let row = invitation::ActiveModel {
                organization_id: Set(actor.organization_id),
                id: Set(log::new_id::<Invitation>(tx, actor.organization_id, new.id).await?),
                email: Set(email),
                role: Set(role.as_str().to_owned()),
                member_id: Set(member_id),
                token_hash: Set(token_hash.clone()),
                expires_at: Set(expires_at.fixed_offset()),
                accepted_at: Set(None),
                accepted_by_member_id: Set(None),
                created_by_member_id: Set(actor.member_id),
                created_by_api_key_id: Set(actor.authentication.api_key_id()),
                created_at: Set(now.fixed_offset()),
                updated_at: Set(now.fixed_offset()),
                ..Default::default()
            };
            let invitation = versioned::insert(tx, &actor, row, Invitation::try_from).await?;
            Ok(IssuedInvitation { token: token.clone(), invitation })
        })
        .await
}

fn without_login(member: Option<entity::member::Model>) -> Result<entity::member::Model> {
    match member {
        None => Err(Error::invalid(
            "/member_id",
            "unknown",
            "must identify a member of the organization",
        )),
        Some(member) if member.user_id.is_some() => {
            Err(Error::invalid("/member_id", "has_login", "must identify a member without a login"))
        }
        Some(member) => Ok(member),
    }
}

/// Takes an invitation back.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let row = versioned::get::<invitation::Entity>(tx, actor.organization_id, id).await?;
            let current = Invitation::try_from(row.clone())?;
            expected.check(row.version, &current)?;
            versioned::delete(tx, &actor, &row, &current).await
        })
        .await
}

/// Ends the open invitations of a member's.
pub(crate) async fn end_of_member(tx: &Tx, actor: &Actor, member_id: Uuid) -> Result<()> {
    end(tx, actor, repository::open_of_member(tx, actor.organization_id, member_id).await?).await
}

/// Ends the open invitations that API keys have made.
pub(crate) async fn end_of_api_keys(tx: &Tx, actor: &Actor, ids: &[Uuid]) -> Result<()> {
    end(tx, actor, repository::open_of_api_keys(tx, actor.organization_id, ids).await?).await
}

async fn end(tx: &Tx, actor: &Actor, rows: Vec<invitation::Model>) -> Result<()> {
    for row in rows {
        versioned::delete(tx, actor, &row, &Invitation::try_from(row.clone())?).await?;
    }
    Ok(())
}

/// What an invitation gives: its role, and not more than whoever stands behind it may still give.
///
/// # Errors
/// [`Error::NotFound`] where nobody does any more, as if it had ended with them.
async fn role_of(tx: &Tx, row: &invitation::Model) -> Result<Role> {
    let role: Role = stored::word(invitation::Column::Role, row.id, &row.role)?;
    // Nobody knows who made those whose log was erased; they end by themselves.
    let Some(maker) = row.created_by_member_id else { return Ok(role) };
    let maker = versioned::find::<entity::member::Entity>(tx, row.organization_id, maker).await?;
    let maker = maker.filter(|maker| maker.active).ok_or(NONE)?;
    let maker: Role = stored::word(entity::member::Column::Role, maker.id, &maker.role)?;
    if !maker.may(Permission::ManageInvitations) {
        return Err(NONE);
    }
    Ok(role.min(maker))
}

/// The invitation that a token opens, if it still does.
pub async fn open(
    connection: &impl ConnectionTrait,
    token: &Secret,
    now: DateTime<Utc>,
) -> Result<Invitation> {
    let organization_id = access::tenant_of(token, PREFIX).ok_or(NONE)?;
    let row = repository::by_token(connection, organization_id, &token.hash()).await?;
    let row = row.ok_or(NONE)?;
    still_open(&row, now)?;
    Invitation::try_from(row)
}

fn still_open(row: &invitation::Model, now: DateTime<Utc>) -> Result<()> {
    if row.accepted_at.is_some() {
        return Err(Error::state("invitation_accepted", "the invitation has been accepted"));
    }
    if row.expires_at.to_utc() <= now {
        return Err(Error::state("invitation_expired", "the invitation has expired"));
    }
    Ok(())
}

/// Accepts an invitation: the user is a member from then on.
pub async fn accept(
    store: WriteOnce<'_, Member>,
    (user_id, context): (Uuid, EventContext),
    token: Secret,
) -> Result<Member> {
    let organization_id = access::tenant_of(&token, PREFIX).ok_or(NONE)?;
    let context = EventContext { organization_id, ..context };
    store
        .write(async move |tx| {
            let organization_id = &context.organization_id;
            let row = repository::by_token(tx, *organization_id, &token.hash()).await?;
            let row = row.ok_or(NONE)?;
            still_open(&row, tx.now())?;
            let user = user::repository::get(tx, user_id).await?;
            if row.email.as_ref().is_some_and(|email| address_key(email) != user.email_key) {
                return Err(Error::forbidden(
                    "invitation_for_another",
                    "the invitation is for another email address",
                ));
            }
            let now = tx.now_after(row.updated_at.to_utc());
            let role = role_of(tx, &row).await?;
            let member_id = row.member_id.unwrap_or_else(|| tx.new_id());
            let accepted = invitation::ActiveModel {
                accepted_at: Set(Some(now.fixed_offset())),
                accepted_by_member_id: Set(Some(member_id)),
                ..Default::default()
            };
            let verb = Verb::Accepted;
            versioned::update(tx, context, verb, &row, accepted, Invitation::try_from).await?;
            tx.invalidate_access();
            if member::repository::of_user(tx, *organization_id, user.id).await?.is_some() {
                return Err(Error::state("already_a_member", "the user is already a member"));
            }
            if row.member_id.is_none() {
                let insert = member::repository::insert_user;
                return insert(tx, context, member_id, &user, role).await;
            }
            let member = member::repository::get(tx, *organization_id, member_id).await?;
            let member = without_login(Some(member))?;
            member::repository::link_user(tx, context, &member, user.id, role).await
        })
        .await
}
