//! The log: every change of every versioned resource, in the order in which it is told.
//!
//! An event is written in the transaction of its change ([`crate::store::log`]). Its position comes
//! afterwards, from one sequencer ([`sequencer`]): transactions do not commit in the order in which
//! they began, and a reader who has seen a position must never miss a lower one.

pub mod chain;
pub(crate) mod repository;
pub mod sequencer;
pub mod verify;

use serde_json::{Map, Value};

use crate::{
    account::Account, actor::Actor, api_key::ApiKey, budget::Budget, category::Category,
    expense::Expense, invitation::Invitation, journal_entry::JournalEntry, member::Member,
    organization::Organization, resource::Resource, role::Permission, saga::Saga, user::User,
};

macro_rules! verbs {
    ($($name:ident $word:literal $what:literal),* $(,)?) => {
        /// What can happen to a resource. Its word is the second half of an event's kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Verb {
            $(#[doc = $what] $name),*
        }

        impl Verb {
            /// Every verb.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in an event's kind.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// What it means, for a person.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $what),* }
            }
        }
    };
}

verbs! {
    Created "created" "It is new.",
    Changed "changed" "A client has changed it.",
    Deleted "deleted" "It is gone; the data is what was there last.",
    Submitted "submitted" "Somebody asks for a decision, or needs none.",
    Approved "approved" "It was accepted.",
    Rejected "rejected" "It was refused.",
    Reimbursed "reimbursed" "It was paid back.",
    PayoutStarted "payout_started" "Somebody has it paid back.",
    PayoutRefused "payout_refused" "It was not paid back, and stays as it was.",
    Reversed "reversed" "Another one undoes it.",
    Advanced "advanced" "It has gone a step on, or back.",
    Completed "completed" "All of it is done.",
    Compensated "compensated" "All of it is undone.",
    Failed "failed" "It cannot go on without somebody's decision.",
    Retried "retried" "Somebody has it tried again.",
    Cancelled "cancelled" "Somebody has it undone.",
    MarkedPaid "marked_paid" "Somebody has paid by hand.",
    Accepted "accepted" "Somebody has taken it up.",
    Joined "joined" "A member has been given a login.",
    PasswordChanged "password_changed" "The password is another one.",
}

/// What an event does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The resource is now as the event's data says.
    Written,
    /// The resource is gone.
    Removed,
    /// None: the event only says something about it.
    None,
}

impl Effect {
    /// As it stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Removed => "removed",
            Self::None => "none",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        match word {
            "written" => Self::Written,
            "removed" => Self::Removed,
            _ => Self::None,
        }
    }
}

/// A kind of resource that events are about.
#[derive(Debug, Clone, Copy)]
pub struct Entity {
    /// Its name.
    pub name: &'static str,
    /// What it takes to see its events.
    pub read: Permission,
    /// What can happen to it.
    pub verbs: &'static [Verb],
    /// Takes out what an actor may not see.
    pub hide: fn(&Actor, &mut Map<String, Value>),
}

impl Entity {
    const fn of<R: Resource>() -> Self {
        Self { name: R::ENTITY, read: R::READ, verbs: R::VERBS, hide: R::hide }
    }

    /// The entity of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ENTITIES.iter().find(|entity| entity.name == name)
    }
}

/// Every kind of resource that events are about: docs/events.md is made of this.
pub const ENTITIES: &[Entity] = &[
    Entity::of::<Account>(),
    Entity::of::<ApiKey>(),
    Entity::of::<Budget>(),
    Entity::of::<Category>(),
    Entity::of::<Expense>(),
    Entity::of::<Invitation>(),
    Entity::of::<JournalEntry>(),
    Entity::of::<Member>(),
    Entity::of::<Organization>(),
    Entity::of::<Saga>(),
    Entity::of::<User>(),
];
