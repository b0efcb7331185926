use entity::meter;
use sea_orm::{ActiveValue::Set, ConnectionTrait};

use super::{Meter, MeterInput, repository, rules};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    meter::decimal::Decimal,
    resource::{Crud, Resource, versioned},
    role::Permission,
    store::{Tx, stored::StoredWord},
    text::fold,
    work::project,
};

versioned!(Meter);

impl Resource for Meter {
    const ENTITY: &'static str = "meter";
    const READ: Permission = Permission::ReadMeters;
    const VERBS: &'static [Verb] = &[
        Verb::Created,
        Verb::Updated,
        Verb::Reverted,
        Verb::ReadingsAdded,
        Verb::ReadingsCorrected,
        Verb::ReadingsDeleted,
        Verb::ExchangeChanged,
        Verb::LimitPassed,
        Verb::Deleted,
    ];
}

impl Crud for Meter {
    type Input = MeterInput;
    const WRITE: Permission = Permission::ManageMeters;
    const IN_USE: &'static str = "the meter has readings; delete them first";

    fn input(&self) -> MeterInput {
        MeterInput {
            name: self.name.clone(),
            unit: self.unit.clone(),
            kind: self.kind,
            project_id: self.project_id,
            place: self.place.clone(),
            interval_seconds: self.interval_seconds,
            precision: self.precision,
            on_drop: self.on_drop,
            rollover_at: self.rollover_at,
            on_conflict: self.on_conflict,
            low: self.low,
            high: self.high,
            hysteresis: self.hysteresis,
            source: self.source.clone(),
        }
    }

    fn columns(_: &Actor, input: MeterInput) -> Result<meter::ActiveModel> {
        let MeterInput {
            name,
            unit,
            kind,
            project_id,
            place,
            interval_seconds,
            precision,
            on_drop,
            rollover_at,
            on_conflict,
            low,
            high,
            hysteresis,
            source,
        } = input;
        let scaled = |value: Decimal| {
            let units = value.scaled(super::digits(precision));
            units.map_err(|reason| Error::Internal(format!("an unchecked limit: {reason}")))
        };
        Ok(meter::ActiveModel {
            name_key: Set(fold(&name)),
            name: Set(name),
            unit: Set(unit),
            kind: Set(kind.as_str().to_owned()),
            project_id: Set(project_id),
            place: Set(place),
            interval_seconds: Set(interval_seconds),
            precision: Set(precision),
            on_drop: Set(on_drop.as_str().to_owned()),
            rollover_at: Set(rollover_at.map(scaled).transpose()?),
            on_conflict: Set(on_conflict.as_str().to_owned()),
            low: Set(low.map(scaled).transpose()?),
            high: Set(high.map(scaled).transpose()?),
            hysteresis: Set(scaled(hysteresis)?),
            source: Set(source),
            ..Default::default()
        })
    }

    async fn check(
        tx: &Tx,
        actor: &Actor,
        current: Option<&Self>,
        input: &MeterInput,
    ) -> Result<()> {
        let organization_id = actor.organization_id;
        let before = current.and_then(|current| current.project_id);
        project::ensure_accepts_new(tx, organization_id, before, input.project_id).await?;
        let Some(current) = current else { return Ok(()) };
        let violations = rules::changed_meaning(current, input);
        if violations.is_empty()
            || !repository::hold_with_readings(tx, organization_id, current.id).await?
        {
            return Ok(());
        }
        let detail = "what the values are does not change once there are readings".into();
        Err(Error::Conflicts { code: "has_readings", detail, violations })
    }

    /// The only reference of a meter is its project.
    async fn unknown_reference<C: ConnectionTrait>(
        _: &C,
        _: &Actor,
        _: &MeterInput,
    ) -> Result<Error> {
        Ok(Error::invalid("/project_id", "unknown", "must identify a project of the organization"))
    }

    async fn after_create(tx: &Tx, actor: &Actor, created: &Self) -> Result<()> {
        repository::insert_state(tx, actor.organization_id, created.id).await
    }

    async fn before_delete(tx: &Tx, actor: &Actor, current: &Self) -> Result<()> {
        match repository::hold_with_readings(tx, actor.organization_id, current.id).await? {
            true => Err(Error::InUse(Self::IN_USE)),
            false => Ok(()),
        }
    }
}
