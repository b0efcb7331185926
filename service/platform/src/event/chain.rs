//! The chain of hashes over an organization's log: pure.

use entity::event;
use sha2::{Digest, Sha256};

use crate::random::hexadecimal;

/// What the first event of a log is chained to.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of an event at a position after the one that has the hash `previous`: the SHA-256 of its
/// fields, each with its length in front. Of the data it covers the digest, so that a person's data
/// can be erased and the chain still holds.
pub fn link(previous: &str, position: i64, row: &event::Model) -> String {
    let event::Model {
        organization_id,
        id,
        at,
        ordinal,
        kind,
        entity,
        entity_id,
        entity_version,
        effect,
        author,
        author_id,
        request_id,
        data: _,
        data_digest,
        // The data has the digest of it.
        sealed: _,
        position: _,
        previous_chain: _,
        chain: _,
        scope_id,
    } = row;
    let optional = |id: &Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let mut hash = Sha256::new();
    for field in [
        previous,
        &position.to_string(),
        &organization_id.to_string(),
        &id.to_string(),
        &at.to_utc().timestamp_micros().to_string(),
        &ordinal.to_string(),
        kind,
        entity,
        &entity_id.to_string(),
        &entity_version.to_string(),
        effect,
        author,
        &optional(author_id),
        &optional(request_id),
        data_digest,
    ] {
        add(&mut hash, field);
    }
    // Of what is in no scope, it is that of the versions of steward that knew of none.
    if scope_id.is_some() {
        add(&mut hash, &optional(scope_id));
    }
    hexadecimal(&hash.finalize())
}

fn add(hash: &mut Sha256, field: &str) {
    hash.update((field.len() as u64).to_be_bytes());
    hash.update(field);
}

/// Puts events of one moment into the order in which they are told: by instant, and of each row by
/// version, whatever the clocks of the nodes say.
pub fn order(events: &mut [event::Model]) {
    events.sort_by_key(|event| (event.at, event.ordinal, event.id));
    // Where the versions of a row do not ascend, its events change places among themselves.
    let mut places: std::collections::HashMap<uuid::Uuid, Vec<usize>> = Default::default();
    for (place, event) in events.iter().enumerate() {
        places.entry(event.entity_id).or_default().push(place);
    }
    for places in places.into_values().filter(|places| places.len() > 1) {
        let mut own: Vec<_> = places.iter().map(|place| events[*place].clone()).collect();
        own.sort_by_key(|event| event.entity_version);
        for (place, event) in places.into_iter().zip(own) {
            events[place] = event;
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn event(row: u128, version: i64, second: i64) -> event::Model {
        event::Model {
            organization_id: Uuid::nil(),
            id: Uuid::from_u128(row << 64 | u128::from(version.unsigned_abs())),
            at: (DateTime::UNIX_EPOCH + TimeDelta::seconds(second)).fixed_offset(),
            ordinal: 0,
            kind: "expense.updated".into(),
            entity: "expense".into(),
            entity_id: Uuid::from_u128(row),
            entity_version: version,
            effect: "written".into(),
            author: "system".into(),
            author_id: None,
            request_id: None,
            data: None,
            data_digest: START.into(),
            sealed: None,
            scope_id: None,
            position: None,
            previous_chain: None,
            chain: None,
        }
    }

    proptest! {
        #[test]
        fn versions_of_a_row_ascend_whatever_the_clocks_say(
            events in prop::collection::vec((0..4_u128, 1..9_i64, 0..20_i64), 0..40),
        ) {
            let mut events: Vec<_> =
                events.into_iter().map(|(row, version, at)| event(row, version, at)).collect();
            let mut before: Vec<_> = events.iter().map(|event| event.id).collect();
            order(&mut events);
            for row in 0..4 {
                let of_row = events.iter().filter(|event| event.entity_id == Uuid::from_u128(row));
                prop_assert!(of_row.map(|event| event.entity_version).is_sorted());
            }
            let mut after: Vec<_> = events.iter().map(|event| event.id).collect();
            before.sort();
            after.sort();
            prop_assert_eq!(before, after, "none is lost and none is new");
        }
    }

    #[test]
    fn a_link_covers_every_field() {
        let one = event(1, 1, 1);
        let link_of = |event: &event::Model| link(START, 7, event);
        let known = link_of(&one);
        assert_eq!(known.len(), 64);
        assert_ne!(link(&known, 7, &one), known);
        assert_ne!(link(START, 8, &one), known);
        let kind = event::Model { kind: "expense.approved".into(), ..one.clone() };
        let author = event::Model { author_id: Some(Uuid::nil()), ..one.clone() };
        let data = event::Model { data_digest: known.clone(), ..one.clone() };
        let scope = event::Model { scope_id: Some(Uuid::nil()), ..one.clone() };
        for other in [kind, author, data, scope, event(1, 2, 1), event(2, 1, 1), event(1, 1, 2)] {
            assert_ne!(link_of(&other), known);
        }
        let erased = event::Model { data: Some(serde_json::json!({})), ..one };
        assert_eq!(link_of(&erased), known, "the data itself is not covered");
    }
}
