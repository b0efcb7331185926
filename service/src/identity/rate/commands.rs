use chrono::NaiveDate;
use entity::{member, rate};
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{Rate, RateInput, repository, rules};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    identity::{
        member::{self as members, Member, ensure_may_manage},
        organization,
    },
    input::{Change, Create},
    resource::{self, Changeable, Resource, Writable, versioned},
    role::Permission,
    store::{
        Tx, log,
        versioned::{self, Expected},
    },
};

versioned!(Rate);

impl Resource for Rate {
    const ENTITY: &'static str = "rate";
    const READ: Permission = Permission::ManageMembers;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
}

/// Those of members whose role is not above one's own. Each change holds the member, so that of two, the
/// second sees what the first has made the latest rate.
impl Changeable for Rate {
    type Input = RateInput;
    const WRITE: Permission = Permission::ManageMembers;

    fn input(&self) -> RateInput {
        RateInput {
            member_id: self.member_id,
            starts_on: self.starts_on,
            hourly_rate_minor: self.hourly_rate_minor,
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Ok(resource::find::<Self>(tx, actor, id).await?.1)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<RateInput>,
    ) -> Result<Self> {
        let (row, current) = resource::find::<Self>(tx, actor, id).await?;
        let member = lock_member(tx, actor, current.member_id).await?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        if input.member_id != current.member_id {
            return Err(Error::invalid("/member_id", "immutable", "must not be changed"));
        }
        if input.starts_on != current.starts_on {
            rules::ensure_started(input.starts_on, today(tx, actor))?;
        }
        let next = columns(input.starts_on, input.hourly_rate_minor);
        let changed =
            versioned::update(tx, actor, change.verb(), &row, next, Self::try_from).await?;
        update_member_rate(tx, actor, &member).await?;
        Ok(changed)
    }

    async fn unknown_reference<C: ConnectionTrait>(
        _: &C,
        _: &Actor,
        _: &RateInput,
    ) -> Result<Error> {
        Ok(Error::invalid("/member_id", "unknown", "must identify a member of the organization"))
    }
}

impl Writable for Rate {
    const IN_USE: &'static str = "other resources refer to the rate";

    async fn create(tx: &Tx, actor: &Actor, new: &Create<RateInput>) -> Result<Self> {
        let RateInput { member_id, starts_on, hourly_rate_minor } = new.input;
        let member = lock_member(tx, actor, member_id).await.map_err(|error| match error {
            Error::NotFound(_) => Error::Reference,
            other => other,
        })?;
        rules::ensure_started(starts_on, today(tx, actor))?;
        let id = log::new_id::<Self>(tx, actor.organization_id, new.id).await?;
        let made = insert(tx, actor, id, member_id, starts_on, hourly_rate_minor).await?;
        update_member_rate(tx, actor, &member).await?;
        Ok(made)
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let (row, current) = resource::find::<Self>(tx, actor, id).await?;
        let member = lock_member(tx, actor, current.member_id).await?;
        expected.check(row.version, &current)?;
        versioned::delete(tx, actor, &row, &current).await?;
        update_member_rate(tx, actor, &member).await
    }
}

fn today(tx: &Tx, actor: &Actor) -> NaiveDate {
    actor.settings.day_of(tx.now())
}

fn columns(starts_on: NaiveDate, hourly_rate_minor: Option<i64>) -> rate::ActiveModel {
    rate::ActiveModel {
        starts_on: Set(starts_on),
        hourly_rate_minor: Set(hourly_rate_minor),
        ..Default::default()
    }
}

async fn insert(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    member_id: Uuid,
    starts_on: NaiveDate,
    hourly_rate_minor: Option<i64>,
) -> Result<Rate> {
    // Nobody gives the organization another currency meanwhile.
    let currency = organization::repository::lock_currency(tx, actor.organization_id).await?;
    let now = tx.now().fixed_offset();
    let row = rate::ActiveModel {
        currency: Set(Some(currency)),
        organization_id: Set(actor.organization_id),
        id: Set(id),
        member_id: Set(member_id),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(starts_on, hourly_rate_minor)
    };
    versioned::insert(tx, actor, row, Rate::try_from).await
}

/// The member whose rates change, whom nobody else changes meanwhile.
async fn lock_member(tx: &Tx, actor: &Actor, id: Uuid) -> Result<member::Model> {
    let member = members::repository::get(tx, actor.organization_id, id).await?;
    ensure_may_manage(actor, &member)?;
    versioned::lock::<member::Entity>(tx, &member).await?;
    Ok(member)
}

/// Has the member cost what the latest rate says.
async fn update_member_rate(tx: &Tx, actor: &Actor, member: &member::Model) -> Result<()> {
    let latest = repository::latest(tx, member.organization_id, member.id).await?;
    let now = latest.and_then(|rate| rate.hourly_rate_minor);
    if now == member.hourly_rate_minor {
        return Ok(());
    }
    let next = member::ActiveModel { hourly_rate_minor: Set(now), ..Default::default() };
    versioned::update(tx, actor, Verb::Updated, member, next, Member::try_from).await.map(drop)
}

/// After a member has been given another rate than before: has it hold from today on. The first one holds
/// from the beginning.
pub(crate) async fn set(tx: &Tx, actor: &Actor, member: &Member) -> Result<()> {
    let amount = member.hourly_rate_minor;
    let latest = repository::latest(tx, actor.organization_id, member.id).await?;
    let starts_on = rules::starts(latest.as_ref().map(|rate| rate.starts_on), today(tx, actor));
    match latest {
        Some(row) if row.starts_on == starts_on => {
            let next = columns(starts_on, amount);
            versioned::update(tx, actor, Verb::Updated, &row, next, Rate::try_from).await?;
        }
        _ => {
            insert(tx, actor, tx.new_id(), member.id, starts_on, amount).await?;
        }
    }
    Ok(())
}

/// Removes the rates of a member who goes.
pub(crate) async fn remove_all(tx: &Tx, actor: &Actor, member: &member::Model) -> Result<()> {
    for row in repository::of_member(tx, member.organization_id, member.id).await? {
        versioned::delete(tx, actor, &row, &Rate::try_from(row.clone())?).await?;
    }
    Ok(())
}
