//! Whom one may touch, what ends with a membership, and the owner who stays.

use entity::member;

use super::repository;
use crate::{
    actor::{Actor, Authentication},
    error::{Error, Result},
    identity::{api_key, invitation, organization, session},
    role::{Permission, Role},
    store::{Tx, stored},
};

/// Nobody gives a role above their own.
pub(crate) fn ensure_may_grant(actor: &Actor, role: Role) -> Result<()> {
    if role <= actor.role {
        return Ok(());
    }
    Err(Error::forbidden("role_above_own", "the role is above the role of the caller"))
}

/// One manages those whose role is not above one's own; and oneself, in person.
pub(crate) fn ensure_may_manage(actor: &Actor, row: &member::Model) -> Result<()> {
    if actor.is_in_person(row.id) {
        return Ok(());
    }
    if actor.may(Permission::ManageMembers) {
        return ensure_may_grant(actor, stored::word(member::Column::Role, row.id, &row.role)?);
    }
    let by_key = matches!(actor.authentication, Authentication::ApiKey { .. });
    if by_key && actor.member_id == Some(row.id) {
        let detail = "the operation requires a session, not an API key";
        return Err(Error::forbidden("session_required", detail));
    }
    actor.require(Permission::ManageMembers)
}

/// Refuses to let the last owner who can log in go: be removed, deactivated, demoted or offboarded. Whatever ends
/// that somebody is an owner who can log in asks here first, in its transaction.
///
/// # Errors
/// [`Error::State`].
pub(crate) async fn ensure_not_last_owner(tx: &Tx, leaving: &member::Model) -> Result<()> {
    if !repository::is_owner_with_login(leaving) {
        return Ok(());
    }
    // Of two owners who go at once, the second waits here, and then sees that the first has gone.
    organization::repository::lock(tx, leaving.organization_id).await?;
    if repository::other_owner_with_login(tx, leaving).await? {
        return Ok(());
    }
    Err(Error::state("last_owner", "the organization must keep at least one owner who can log in"))
}

/// Ends what let a member in, for good: their API keys, the invitations that they made and that are still open, and
/// their sessions, unless they are somewhere else, too. When the member comes back, nothing of it does; so it is done
/// once more then, for what was made at the very moment when the membership ended.
pub(crate) async fn end_access(
    tx: &Tx,
    actor: &Actor,
    row: &member::Model,
    comes_back: bool,
) -> Result<()> {
    tx.invalidate_access();
    api_key::end_of_member(tx, actor, row.id).await?;
    invitation::end_of_member(tx, actor, row.id).await?;
    let Some(user_id) = row.user_id.filter(|_| !comes_back) else { return Ok(()) };
    if repository::is_elsewhere(tx, row.organization_id, user_id).await? {
        return Ok(());
    }
    session::repository::end_all(tx, user_id).await
}
