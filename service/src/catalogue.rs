//! Every resource, consumer and worker: the one file of the service that names them all.
//!
//! What is below takes these as arguments and names no aggregate.

use entity::{budget, journal_entry, project, rate};
use sea_orm::{
    QueryFilter,
    sea_query::{Expr, Query, SelectStatement, UnionType},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    attachment::{self, HasAttachments, ParentKind},
    automation::{
        budget_thresholds, large_expenses, meter_limits, rule,
        saga::{import as import_saga, offboarding, reimbursement, time_zone_change},
        webhook::{self, IssuedWebhook},
    },
    background::{MIN_TURN_INTERVAL, StoreWork, Worker, Workers},
    consumer::{self, Consumer, Consumers},
    document::{collection, index, outbox},
    event::sequencer::{self, Sequencer},
    idempotency,
    identity::{api_key::IssuedApiKey, invitation::IssuedInvitation},
    import,
    lease::{self, Node},
    measure::{self, Measure, Measurements},
    money::expense::{self, spending},
    outbound::Outbound,
    purge,
    resource::Descriptor,
    role::{Permission, Role},
    saga::{self, Kind, SagaTimeouts, Sagas},
    store::{
        self, Attachable, HasAmounts, OnTimeZoneChange, Store,
        signal::Signal,
        slow,
        versioned::{any, find_in_organization},
    },
    work::daily_report,
};

/// Every resource, by what its events are named, with what offline clients do with it: `writable` is created, updated
/// and deleted, `changeable` is updated, `online` is left alone. Hands this list to a macro.
macro_rules! resources {
    ($each:ident) => {
        $each! {
            money::account::Account: writable,
            identity::api_key::ApiKey: online,
            attachment::Attachment: changeable,
            money::budget::Budget: writable,
            money::category::Category: writable,
            document::collection::Collection: writable,
            work::daily_report::DailyReport: writable,
            document::document::Document: writable,
            money::expense::Expense: writable,
            work::incident::Incident: writable,
            identity::invitation::Invitation: online,
            money::journal_entry::JournalEntry: online,
            identity::member::Member: writable,
            meter::meter::Meter: writable,
            identity::organization::Organization: changeable,
            work::project::Project: writable,
            identity::rate::Rate: writable,
            automation::rule::Rule: writable,
            saga::Saga: online,
            work::task::Task: writable,
            work::time_entry::TimeEntry: writable,
            work::timecard::Timecard: online,
            identity::user::User: online,
            automation::webhook::Webhook: online,
        }
    };
}
pub(crate) use resources;

macro_rules! descriptors {
    ($($($segment:ident)::+: $offline:ident),* $(,)?) => {
        /// Every resource that events are about: docs/events.md is made of this.
        pub const RESOURCES: &[Descriptor] = &[$(Descriptor::of::<crate::$($segment)::+>()),*];
    };
}
resources!(descriptors);

/// The resource whose events name it so: `expense`.
pub fn resource(entity: &str) -> Option<&'static Descriptor> {
    RESOURCES.iter().find(|resource| resource.entity == entity)
}

/// Whether a schema of the OpenAPI document, by its name, is that of a view with a version.
pub fn is_versioned(schema: &str) -> bool {
    let issued = [IssuedApiKey::name(), IssuedInvitation::name(), IssuedWebhook::name()];
    issued.contains(&schema.into()) || RESOURCES.iter().any(|it| (it.schema)() == schema)
}

/// Every consumer.
pub const CONSUMERS: &[Consumer] = &[
    budget_thresholds::CONSUMER,
    large_expenses::CONSUMER,
    meter_limits::CONSUMER,
    rule::reaction::CONSUMER,
];

/// Every kind of saga.
const SAGAS: &[&Kind] =
    &[&import_saga::KIND, &offboarding::KIND, &reimbursement::KIND, &time_zone_change::KIND];

/// What follows from another time zone of an organization.
const ON_TIME_ZONE_CHANGE: &[OnTimeZoneChange] =
    &[|tx, actor, zone| Box::pin(time_zone_change::begin(tx, actor, zone))];

/// A kind of resource whose attachments take a permission alone.
macro_rules! attachable {
    ($table:ident, $permission:ident) => {
        Attachable {
            kind: stringify!($table),
            ensure: |tx, actor, id, _| {
                let permission = Permission::$permission;
                Box::pin(attachment::ensure_row::<entity::$table::Entity>(
                    tx, actor, id, permission,
                ))
            },
        }
    };
}

macro_rules! has_attachments {
    ($($($segment:ident)::+ as $kind:ident: $table:ident),* $(,)?) => {$(
        impl HasAttachments for crate::$($segment)::+ {
            const KIND: ParentKind = ParentKind::$kind;
            type Row = entity::$table::Entity;
        }
    )*};
}

has_attachments! {
    work::daily_report::DailyReport as DailyReport: daily_report,
    money::expense::Expense as Expense: expense,
    work::incident::Incident as Incident: incident,
    money::journal_entry::JournalEntry as JournalEntry: journal_entry,
    identity::member::Member as Member: member,
    work::project::Project as Project: project,
    work::task::Task as Task: task,
}

/// What stands in the way of another currency of an organization (docs/decisions/0024).
const AMOUNTS: &[(&str, HasAmounts)] = &[
    ("rates", |tx, id| Box::pin(any(tx, find_in_organization::<rate::Entity>(id)))),
    ("budgets", |tx, id| Box::pin(any(tx, find_in_organization::<budget::Entity>(id)))),
    ("expenses", |tx, id| Box::pin(any(tx, find_in_organization::<entity::expense::Entity>(id)))),
    ("projects with a budget", |tx, id| {
        let projects = find_in_organization::<project::Entity>(id);
        Box::pin(any(tx, projects.filter(project::COLUMN.budget_minor.is_not_null())))
    }),
    ("journal entries", |tx, id| {
        Box::pin(any(tx, find_in_organization::<journal_entry::Entity>(id)))
    }),
];

/// What has attachments, and what it takes to add, rename and remove them.
const ATTACHABLE: &[Attachable] = &[
    Attachable {
        kind: "daily_report",
        ensure: |tx, actor, id, act| Box::pin(daily_report::ensure_attachable(tx, actor, id, act)),
    },
    Attachable {
        kind: "expense",
        ensure: |tx, actor, id, act| Box::pin(expense::ensure_attachable(tx, actor, id, act)),
    },
    attachable!(incident, ManageIncidents),
    attachable!(journal_entry, PostEntries),
    Attachable {
        kind: "member",
        ensure: |tx, actor, id, _| {
            Box::pin(crate::identity::member::ensure_attachable(tx, actor, id))
        },
    },
    attachable!(project, ManageProjects),
    attachable!(task, RecordTasks),
];

/// The scopes that a role may read: collections, and what belongs to incidents.
fn readable_scopes(organization_id: Uuid, role: Role) -> SelectStatement {
    let mut scopes = collection::repository::readable(organization_id, role);
    if role.may(Permission::ManageIncidents) {
        let incidents = Query::select().expr(Expr::val(attachment::INCIDENTS)).to_owned();
        scopes.union(UnionType::All, incidents);
    }
    scopes
}

/// What the store is handed.
pub static CATALOGUE: store::Catalogue = store::Catalogue {
    sagas: SAGAS,
    on_time_zone_change: ON_TIME_ZONE_CHANGE,
    amounts: AMOUNTS,
    readable_scopes,
    attachable: ATTACHABLE,
};

/// Everybody who works in the background of a process, in the order in which `run_until_idle` lets them.
/// The consumers are [`CONSUMERS`], but for tests.
pub fn workers(
    store: &Store,
    outbound: &Outbound,
    webhooks: &webhook::Settings,
    saga_timeouts: SagaTimeouts,
    consumers: &'static [Consumer],
) -> Workers {
    let node = Node::new(store);
    let workers = vec![
        Worker {
            name: "sequencer",
            wakes: Some(Signal::Recorded),
            min_interval: Some(MIN_TURN_INTERVAL),
            work: Box::new(Sequencer::new(store, &node)),
        },
        Worker {
            name: "consumers",
            wakes: Some(Signal::Sequenced),
            min_interval: Some(MIN_TURN_INTERVAL),
            work: Box::new(Consumers::new(store, &node, consumers)),
        },
        Worker {
            name: "leases",
            wakes: None,
            min_interval: None,
            work: Box::new(lease::Watch::new(store, &node)),
        },
        Worker {
            name: "idempotency",
            wakes: Some(Signal::Work),
            min_interval: None,
            work: Box::new(idempotency::Sweep::new(store)),
        },
        Worker {
            name: "webhook dispatcher",
            wakes: Some(Signal::Sequenced),
            min_interval: Some(MIN_TURN_INTERVAL),
            work: Box::new(webhook::Dispatcher::new(store, webhooks)),
        },
        Worker {
            name: "webhook sender",
            wakes: Some(Signal::Work),
            min_interval: None,
            work: Box::new(webhook::Sender::new(store, outbound, webhooks)),
        },
        Worker {
            name: "webhook claims",
            wakes: None,
            min_interval: None,
            work: Box::new(webhook::Reclaimer::new(store, webhooks)),
        },
        Worker {
            name: "imports that nobody brings in",
            wakes: Some(Signal::Work),
            min_interval: None,
            work: StoreWork::boxed(store, |store| Box::pin(import::sweep(store))),
        },
        Worker {
            name: "purge",
            wakes: Some(Signal::Work),
            min_interval: None,
            work: StoreWork::boxed(store, |store| Box::pin(purge::purge(store))),
        },
        Worker {
            name: "objects to remove",
            wakes: Some(Signal::Work),
            min_interval: None,
            work: StoreWork::boxed(store, |store| Box::pin(attachment::remove_objects(store))),
        },
        Worker {
            name: "spending totals",
            wakes: None,
            min_interval: None,
            work: StoreWork::boxed(store, |store| Box::pin(spending::worker::run_once(store))),
        },
        Worker {
            name: "document indexes",
            wakes: Some(Signal::Work),
            min_interval: None,
            work: StoreWork::boxed(store, |store| Box::pin(index::run_once(store))),
        },
        Worker {
            name: "documents",
            wakes: Some(Signal::Intended),
            min_interval: None,
            work: Box::new(outbox::Delivery::new(store)),
        },
        Worker {
            name: "sagas",
            wakes: Some(Signal::Work),
            min_interval: None,
            work: Box::new(Sagas::new(store, &node, outbound, saga_timeouts)),
        },
        Worker {
            name: "slow statements",
            wakes: None,
            min_interval: None,
            work: Box::new(slow::Explainer::new(store)),
        },
        Worker {
            name: "measurements",
            wakes: None,
            min_interval: None,
            work: Box::new(Measurements::new(store, measures(store, consumers))),
        },
    ];
    Workers::new(store.clone(), node, workers)
}

/// What is measured for `/metrics`.
fn measures(store: &Store, consumers: &'static [Consumer]) -> Vec<Measure> {
    let often = |name, take: measure::Take| Measure { name, interval: measure::OFTEN, take };
    let mut measures = vec![
        often("events", Box::new(|store| Box::pin(sequencer::measure(store)))),
        often(
            "consumers",
            Box::new(move |store| Box::pin(consumer::lag::measure(store, consumers))),
        ),
        often("webhooks", Box::new(|store| Box::pin(webhook::lag::measure(store)))),
        often("sagas", Box::new(|store| Box::pin(saga::lag::measure(store)))),
        often("documents", Box::new(|store| Box::pin(outbox::measure(store)))),
    ];
    measures.extend(measure::database::measures(store.engine()));
    measures
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fmt::Debug, fs, path::PathBuf};

    use serde_json::json;

    use super::*;
    use crate::{
        event::Effect,
        identity::organization,
        meter::{consumption::ExchangeKind, meter, reading::limits::Excursion},
        money::{account, budget, category},
        store::stored::StoredWord,
        work::{incident, project, task, timecard},
    };

    #[test]
    fn consumers_want_what_there_is_under_names_of_their_own() {
        let mut names = HashSet::new();
        for consumer in CONSUMERS {
            assert!(names.insert(consumer.name), "two are called {}", consumer.name);
            for kind in consumer.kinds {
                let is_known =
                    resource(kind).is_some() || RESOURCES.iter().any(|it| it.has_kind(kind));
                assert!(is_known, "{} wants {kind}", consumer.name);
            }
        }
    }

    fn compare<W: StoredWord + Debug + PartialEq>() {
        for word in W::ALL.iter().copied() {
            assert_eq!(json!(word), json!(word.as_str()), "{word:?}");
            assert_eq!(word.as_str().parse::<W>().ok(), Some(word));
        }
    }

    /// How many enums of the sources are stored as words.
    fn stored_enums() -> usize {
        let mut count = 0;
        let service = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![service.join("src"), service.join("platform/src")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let source = fs::read_to_string(path).unwrap();
                    count += source.lines().filter(|line| line.starts_with("#[strum(")).count();
                }
            }
        }
        count
    }

    #[test]
    fn a_word_stands_in_the_database_as_it_does_in_json() {
        let compared = [
            compare::<account::Kind> as fn(),
            compare::<attachment::ParentKind>,
            compare::<account::Purpose>,
            compare::<budget::Period>,
            compare::<category::Kind>,
            compare::<daily_report::ItemKind>,
            compare::<daily_report::Status>,
            compare::<Effect>,
            compare::<expense::Kind>,
            compare::<expense::Status>,
            compare::<import::Kind>,
            compare::<index::State>,
            compare::<incident::Classification>,
            compare::<incident::InjuryType>,
            compare::<incident::Status>,
            compare::<meter::Kind>,
            compare::<meter::DropRule>,
            compare::<meter::ConflictRule>,
            compare::<ExchangeKind>,
            compare::<Excursion>,
            compare::<organization::Kind>,
            compare::<project::Status>,
            compare::<Role>,
            compare::<saga::State>,
            compare::<spending::Dimension>,
            compare::<task::Priority>,
            compare::<task::Status>,
            compare::<timecard::Status>,
            compare::<webhook::DeliveryState>,
            compare::<webhook::DisabledReason>,
        ];
        assert_eq!(compared.len(), stored_enums());
        compared.iter().for_each(|compare| compare());
    }
}
