//! Policies: what is counted together, and what has come of it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use metrics::Counter;

use super::{Refused, Standing, Subject, grants::Grants, local::Local, quota::Quota};

/// What is counted together, under a name that clients and operators see. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Policy(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) name: &'static str,
    pub(super) counts: Counts,
    pub(super) local: Local,
    pub(super) grants: Grants,
    counters: OnceLock<Counters>,
}

/// What a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Requests, of which some may pass that should not.
    Requests,
    /// Attempts to guess something, of which none may.
    Attempts,
}

/// What has come of it, for operators.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) allowed: Counter,
    pub(super) refused: Counter,
    /// What was decided without Redis, which should have been asked.
    pub(super) alone: Counter,
}

impl Policy {
    /// Counts for so many subjects at most in this process, and forgets a subject that has done nothing for the longest
    /// window of its quotas.
    pub fn new(name: &'static str, counts: Counts, capacity: u64, window: Duration) -> Self {
        let (local, grants) = (Local::new(capacity, window), Grants::new(capacity, window));
        Self(Arc::new(Inner { name, counts, local, grants, counters: OnceLock::new() }))
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// They are made when they are first used: by then, there is somebody who records them.
    pub(super) fn counters(&self) -> &Counters {
        self.0.counters.get_or_init(|| {
            let policy = self.name();
            let outcome = |outcome: &'static str| {
                metrics::counter!("steward_limit_decisions_total", "policy" => policy, "outcome" => outcome)
            };
            Counters {
                allowed: outcome("allowed"),
                refused: outcome("refused"),
                alone: metrics::counter!("steward_limit_alone_total", "policy" => policy),
            }
        })
    }

    pub(super) fn take_here(
        &self,
        subject: Subject,
        quota: Quota,
        reserve: u32,
        now: u64,
    ) -> Result<Standing, Refused> {
        let taken = self.0.local.take(subject, quota, (1, reserve), now);
        Standing::of(self.name(), quota, taken, reserve)
    }

    pub(super) fn key(&self, subject: Subject) -> String {
        format!("steward:limit:{}:{subject}", self.name())
    }
}
