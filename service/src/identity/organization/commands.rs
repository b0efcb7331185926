use entity::organization;
use sea_orm::ActiveValue::Set;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Kind, Organization, OrganizationInput, repository};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    identity::{member, user},
    input::{Change, Create},
    resource::{Changeable, Resource, versioned},
    role::{Permission, Role},
    store::{
        Store, Tx,
        log::{self, EventContext},
        page::{Page, PageQuery},
        stored::StoredWord,
        versioned::{self, Expected},
    },
};

versioned!(Organization);

impl Resource for Organization {
    const ENTITY: &'static str = "organization";
    const READ: Permission = Permission::ReadOrganization;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];

    fn redact(actor: &Actor, data: &mut Map<String, Value>) {
        if !actor.may(Permission::ChangeOrganization) {
            data.insert("payout_url".into(), Value::Null);
        }
    }
}

impl Changeable for Organization {
    type Input = OrganizationInput;
    const WRITE: Permission = Permission::ChangeOrganization;

    fn input(&self) -> OrganizationInput {
        OrganizationInput {
            kind: self.kind,
            name: self.name.clone(),
            currency: self.currency.clone(),
            time_zone: self.time_zone.clone(),
            approval_required: Some(self.approval_required),
            large_expense_minor: self.large_expense_minor,
            payout_url: self.payout_url.clone(),
            overlap_allowed: self.overlap_allowed,
        }
    }

    async fn find(tx: &Tx, actor: &Actor, _: Uuid) -> Result<Self> {
        Self::try_from(repository::get(tx, actor.organization_id).await?)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        _: Uuid,
        expected: Expected,
        change: &Change<OrganizationInput>,
    ) -> Result<Self> {
        let row = repository::get(tx, actor.organization_id).await?;
        let current = Self::try_from(row.clone())?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        if let Some(zone) =
            input.time_zone.parse().ok().filter(|_| input.time_zone != row.time_zone)
        {
            for follow in tx.catalogue().on_time_zone_change {
                follow(tx, actor, zone).await?;
            }
        }
        if input.currency != current.currency {
            ensure_no_amounts(tx, &current, &input).await?;
        }
        let next = columns(input);
        tx.invalidate_access();
        versioned::update(tx, actor, change.verb(), &row, next, Self::try_from).await
    }
}

/// Refuses another currency where it would make other amounts of those that are there (docs/decisions/0024).
async fn ensure_no_amounts(
    tx: &Tx,
    current: &Organization,
    input: &OrganizationInput,
) -> Result<()> {
    let mut found = Vec::new();
    for (kind, has_amounts) in tx.catalogue().amounts {
        if has_amounts(tx, current.id).await? {
            found.push(*kind);
        }
    }
    // One that is given anew is meant in the new currency.
    if current.large_expense_minor.is_some()
        && input.large_expense_minor == current.large_expense_minor
    {
        found.push("large_expense_minor");
    }
    if found.is_empty() {
        return Ok(());
    }
    let (currency, found) = (&current.currency, found.join(", "));
    Err(Error::state("currency_in_use", format!("there are amounts in {currency}: {found}")))
}

/// Makes an organization, of which the user is the first member and owner.
pub async fn create(
    store: WriteOnce<'_, Organization>,
    (user_id, context): (Uuid, EventContext),
    new: Create<OrganizationInput>,
) -> Result<Organization> {
    store
        .write(async move |tx| {
            let owner = user::repository::get(tx, user_id).await?;
            let now = tx.now().fixed_offset();
            let id = log::new_id::<Organization>(tx, log::NO_ORGANIZATION, new.id).await?;
            let row = organization::ActiveModel {
                id: Set(id),
                created_at: Set(now),
                updated_at: Set(now),
                ..columns(new.input.clone())
            };
            let context = EventContext { organization_id: id, ..context };
            let made = versioned::insert(tx, context, row, Organization::try_from).await?;
            member::repository::insert_user(tx, context, tx.new_id(), &owner, Role::Owner).await?;
            Ok(made)
        })
        .await
}

/// The organizations that the user belongs to, the oldest first.
pub async fn list(store: &Store, user_id: Uuid, page: &PageQuery) -> Result<Page<Organization>> {
    let page = repository::of_user(store.read(), user_id, page).await?;
    page.try_map(|row| Ok(Organization::try_from(row)?.for_all()))
}

/// The organization.
pub async fn get(store: &Store, actor: &Actor) -> Result<Organization> {
    let row = repository::get(store.read(), actor.organization_id).await?;
    let found = Organization::try_from(row)?;
    Ok(if actor.may(Permission::ChangeOrganization) { found } else { found.for_all() })
}

fn columns(input: OrganizationInput) -> organization::ActiveModel {
    let OrganizationInput {
        kind,
        name,
        currency,
        time_zone,
        approval_required,
        large_expense_minor,
        payout_url,
        overlap_allowed,
    } = input;
    organization::ActiveModel {
        kind: Set(kind.as_str().to_owned()),
        name: Set(name),
        currency: Set(currency),
        time_zone: Set(time_zone),
        approval_required: Set(approval_required.unwrap_or(kind == Kind::Company)),
        large_expense_minor: Set(large_expense_minor),
        payout_url: Set(payout_url),
        overlap_allowed: Set(overlap_allowed),
        ..Default::default()
    }
}

/// Ends the organization, with all that it holds, its log included. Nobody finds it any more from now on; its rows
/// are removed by and by ([`crate::purge`]).
pub async fn delete(store: &Store, actor: &Actor, expected: Expected) -> Result<()> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let row = repository::get(tx, actor.organization_id).await?;
            let current = Organization::try_from(row.clone())?;
            expected.check(row.version, &current)?;
            tx.invalidate_access();
            repository::shut_down(tx, actor.organization_id).await?;
            // Its own log goes with it: that it is gone stands in the one of all users.
            let context = EventContext {
                organization_id: log::NO_ORGANIZATION,
                ..EventContext::from(&actor)
            };
            let mark = organization::ActiveModel {
                deleted_at: Set(Some(tx.now().fixed_offset())),
                ..Default::default()
            };
            versioned::mark_deleted(tx, context, &row, mark, &current).await
        })
        .await
}
