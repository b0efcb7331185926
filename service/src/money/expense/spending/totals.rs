//! The sums that are kept: pure.

use std::{collections::BTreeMap, fmt};

use chrono::NaiveDate;
use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::delta::{Cell, Delta};
use crate::store::stored::StoredWord;

/// By what sums are kept.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Dimension {
    Category,
    Project,
    Member,
}

/// Of all projects, and of none: no project and no category has this id.
pub(super) const NIL: Uuid = Uuid::nil();

/// Which sum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) project_id: Uuid,
    pub(super) dimension: &'static str,
    pub(super) month: NaiveDate,
    /// The category, the project or the member.
    pub(super) key_id: Uuid,
    pub(super) currency: String,
}

/// A sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) settled_minor: i128,
    pub(super) pending_minor: i128,
    /// How many expenses have a part in this.
    pub(super) count: i64,
    /// How many of them have their first part in this: adding these up counts none twice.
    pub(super) first_count: i64,
}

/// Some sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals(pub(super) BTreeMap<Key, Total>);

impl Totals {
    /// Adds to each sum that a cell is in.
    pub(super) fn add(&mut self, cell: &Cell, delta: Delta) {
        let Cell { month, project_id, category_id, member_id, currency } = cell;
        let Delta { settled_minor, pending_minor, expenses, in_category, in_project, parts } =
            delta;
        let mut add = |project_id: Uuid, dimension: Dimension, key_id: Uuid, counts: [i64; 2]| {
            let key = Key {
                project_id,
                dimension: dimension.as_str(),
                month: *month,
                key_id,
                currency: currency.clone(),
            };
            let total = self.0.entry(key).or_default();
            total.settled_minor += settled_minor;
            total.pending_minor += pending_minor;
            total.count += counts[0];
            total.first_count += counts[1];
        };
        let category = category_id.unwrap_or(NIL);
        add(NIL, Dimension::Category, category, [in_category, expenses]);
        add(NIL, Dimension::Project, project_id.unwrap_or(NIL), [in_project, expenses]);
        add(NIL, Dimension::Member, *member_id, [expenses, expenses]);
        if let Some(project_id) = *project_id {
            add(project_id, Dimension::Category, category, [parts, in_project]);
            add(project_id, Dimension::Member, *member_id, [in_project, in_project]);
        }
    }

    /// Adds others.
    pub(super) fn merge(&mut self, others: Self) {
        for (key, other) in others.0 {
            let total = self.0.entry(key).or_default();
            total.settled_minor += other.settled_minor;
            total.pending_minor += other.pending_minor;
            total.count += other.count;
            total.first_count += other.first_count;
        }
    }

    /// Leaves out the sums of nothing.
    pub(super) fn prune(&mut self) {
        self.0.retain(|_, total| *total != Total::default());
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project_id, dimension, month, key_id, currency } = self;
        write!(f, "{} {currency} of {dimension} {key_id}", month.format("%Y-%m"))?;
        if *project_id != NIL {
            write!(f, " in project {project_id}")?;
        }
        Ok(())
    }
}
