use chrono::SubsecRound;
use entity::{incident, member, project};
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{
    Incident, IncidentInput, IncidentQuery, repository, rules,
    secrets::{FIELDS, Secrets},
};
use crate::{
    actor::Actor,
    attachment::{self, ParentKind},
    error::{Error, Result},
    event::Verb,
    identity::organization,
    input::{Change, Create},
    resource::{Changeable, Readable, Resource, Writable, versioned},
    role::Permission,
    store::{
        Store, Tx, log,
        page::Page,
        references::References,
        stored::StoredWord,
        versioned::{self, Expected},
    },
};

versioned!(Incident);

impl Resource for Incident {
    const ENTITY: &'static str = "incident";
    const READ: Permission = Permission::ManageIncidents;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
    const SEALED: &'static [&'static str] = FIELDS;
}

impl Readable for Incident {
    type Query = IncidentQuery;

    /// The incident.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        Self::require_keys(store.keyring())?;
        let row = repository::get(store.read(), actor.organization_id, id).await?;
        let secrets = Secrets::open(store.keyring(), &row)?;
        Self::of(row, secrets)
    }

    /// The incidents that a query asks for, the latest first.
    async fn list(store: &Store, actor: &Actor, query: &IncidentQuery) -> Result<Page<Self>> {
        Self::require_keys(store.keyring())?;
        let page = repository::list(store.read(), actor, query).await?;
        page.try_map(|row| {
            let secrets = Secrets::open(store.keyring(), &row)?;
            Self::of(row, secrets)
        })
    }
}

/// A row in a transaction, with what is sealed in it.
async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<(incident::Model, Incident)> {
    let row = repository::get(tx, actor.organization_id, id).await?;
    let secrets = Secrets::open(tx.keyring(), &row)?;
    Ok((row.clone(), Incident::of(row, secrets)?))
}

impl Changeable for Incident {
    type Input = IncidentInput;
    const WRITE: Permission = Permission::ManageIncidents;

    fn input(&self) -> IncidentInput {
        IncidentInput {
            member_id: self.member_id,
            occurred_at: self.occurred_at,
            place: self.place.clone(),
            project_id: self.project_id,
            status: self.status,
            job_title: self.job_title.clone(),
            body_part: self.body_part.clone(),
            nature: self.nature.clone(),
            cause: self.cause.clone(),
            treatment: self.treatment.clone(),
            narrative: self.narrative.clone(),
            witnesses: self.witnesses.clone(),
            recordable: self.recordable,
            classification: self.classification,
            injury_type: self.injury_type,
            privacy_case: self.privacy_case,
            days_away: self.days_away,
            days_restricted: self.days_restricted,
            claim_number: self.claim_number.clone(),
            insurer: self.insurer.clone(),
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Ok(find(tx, actor, id).await?.1)
    }

    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<IncidentInput>,
    ) -> Result<Self> {
        let (row, current) = find(tx, actor, id).await?;
        expected.check(row.version, &current)?;
        let input = change.apply(&current.input())?;
        rules::check_transition(current.status, input.status)?;
        let secrets = Secrets::from(&input);
        let next = columns(tx, (actor.organization_id, id), input, &secrets)?;
        let view = |row| Self::of(row, secrets);
        versioned::update(tx, actor, change.verb(), &row, next, view).await
    }

    async fn unknown_reference<C: ConnectionTrait>(
        connection: &C,
        actor: &Actor,
        input: &IncidentInput,
    ) -> Result<Error> {
        let member = vec![("/member_id".to_owned(), input.member_id)];
        let project = input.project_id.map(|id| ("/project_id".to_owned(), id));
        let mut references = References::new(connection, actor.organization_id);
        references.check::<member::Entity>(member).await?;
        references.check::<project::Entity>(Vec::from_iter(project)).await?;
        let found = references.into_violations();
        Ok(if found.is_empty() { Error::Reference } else { Error::Invalid(found) })
    }
}

impl Writable for Incident {
    const IN_USE: &'static str = "other resources refer to the incident";

    /// An instant as the databases keep it.
    fn with_defaults(_: &Actor, input: IncidentInput) -> IncidentInput {
        IncidentInput { occurred_at: input.occurred_at.trunc_subsecs(6), ..input }
    }

    /// Also on a project that is archived ([`crate::work::project::ensure_accepts_new`] is not asked): what has
    /// happened there is to be reported, however late.
    async fn create(tx: &Tx, actor: &Actor, new: &Create<IncidentInput>) -> Result<Self> {
        let organization_id = actor.organization_id;
        let id = log::new_id::<Self>(tx, organization_id, new.id).await?;
        let secrets = Secrets::from(&new.input);
        let columns = columns(tx, (organization_id, id), new.input.clone(), &secrets)?;
        organization::repository::lock(tx, organization_id).await?;
        let now = tx.now().fixed_offset();
        let row = incident::ActiveModel {
            organization_id: Set(organization_id),
            id: Set(id),
            case_number: Set(repository::next_case_number(tx, organization_id).await?),
            created_at: Set(now),
            updated_at: Set(now),
            ..columns
        };
        versioned::insert(tx, actor, row, |row| Self::of(row, secrets)).await
    }

    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let (row, current) = find(tx, actor, id).await?;
        expected.check(row.version, &current)?;
        attachment::delete_all(tx, actor, ParentKind::Incident, id).await?;
        versioned::delete(tx, actor, &row, &current).await
    }
}

fn columns(
    tx: &Tx,
    row: (Uuid, Uuid),
    input: IncidentInput,
    secrets: &Secrets,
) -> Result<incident::ActiveModel> {
    let IncidentInput {
        member_id,
        occurred_at,
        place,
        project_id,
        status,
        job_title,
        body_part: _,
        nature: _,
        cause: _,
        treatment: _,
        narrative: _,
        witnesses: _,
        recordable,
        classification,
        injury_type,
        privacy_case,
        days_away,
        days_restricted,
        claim_number,
        insurer,
    } = input;
    Ok(incident::ActiveModel {
        member_id: Set(member_id),
        occurred_at: Set(occurred_at.trunc_subsecs(6).fixed_offset()),
        place: Set(place),
        project_id: Set(project_id),
        status: Set(status.as_str().to_owned()),
        job_title: Set(job_title),
        recordable: Set(recordable),
        classification: Set(classification.map(|it| it.as_str().to_owned())),
        injury_type: Set(injury_type.map(|it| it.as_str().to_owned())),
        privacy_case: Set(privacy_case),
        days_away: Set(days_away),
        days_restricted: Set(days_restricted),
        claim_number: Set(claim_number),
        insurer: Set(insurer),
        ..secrets.seal(tx.keyring(), tx.random(), row)?
    })
}
