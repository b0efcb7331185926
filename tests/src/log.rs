//! The log behind the API, and how far its consumers are.

use std::time::{Duration, Instant};

use entity::{consumer_position, event, event_head, parked_event};
use sea_orm::{ActiveValue::Set, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use service::Store;
use uuid::Uuid;

/// The events of a kind that have a position, in order.
///
/// # Panics
/// If the log cannot be read.
pub async fn events(store: &Store, kind: &str) -> Vec<event::Model> {
    let events = event::Entity::find()
        .filter(event::COLUMN.kind.eq(kind))
        .filter(event::COLUMN.position.is_not_null())
        .order_by_asc(event::Column::OrganizationId)
        .order_by_asc(event::Column::Position);
    events.all(store.read()).await.unwrap()
}

/// How many events a consumer has not been past, in all organizations; those without a position
/// count too.
///
/// # Panics
/// If the database does not answer.
pub async fn behind(store: &Store, consumer: &str) -> i64 {
    // In this order: an event that goes on meanwhile is counted twice, and never left out.
    let waiting = event::Entity::find().filter(event::COLUMN.position.is_null());
    let waiting = waiting.count(store.read()).await.unwrap();
    let positions = consumer_position::Entity::find()
        .filter(consumer_position::COLUMN.consumer.eq(consumer))
        .all(store.read())
        .await
        .unwrap();
    let heads = event_head::Entity::find().all(store.read()).await.unwrap();
    let heads = heads.into_iter().filter(|head| head.organization_id != Uuid::nil());
    let behind = heads.map(|head| {
        let of = positions.iter().find(|row| row.organization_id == head.organization_id);
        head.position - of.map_or(0, |row| row.position)
    });
    behind.sum::<i64>() + i64::try_from(waiting).unwrap()
}

/// Waits until something is so, for at most a minute.
///
/// # Panics
/// If it is not by then.
pub async fn wait_until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so().await {
        assert!(Instant::now() < deadline, "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a consumer has been past all events, for as long as it gets on: how many there are is
/// the machine's doing, where writers have written as fast as they could.
///
/// # Panics
/// If it stands still for a minute.
pub async fn catch_up(store: &Store, consumer: &str) {
    let mut left = behind(store, consumer).await;
    while left > 0 {
        let before = left;
        wait_until(consumer, async || {
            left = behind(store, consumer).await;
            left < before
        })
        .await;
    }
}

/// Parks an event, as if a consumer had given up on it.
///
/// # Panics
/// If the database refuses.
pub async fn park(store: &Store, consumer: &str, event: &event::Model) -> Uuid {
    let consumer = consumer.to_owned();
    let event = event.clone();
    let parked = store.write(async move |tx| {
        let id = tx.new_id();
        let row = parked_event::ActiveModel {
            organization_id: Set(event.organization_id),
            id: Set(id),
            consumer: Set(consumer.clone()),
            event_id: Set(event.id),
            position: Set(event.position.unwrap_or_default()),
            kind: Set(event.kind.clone()),
            error: Set("it was not its day".into()),
            attempts: Set(10),
            parked_at: Set(tx.now().fixed_offset()),
            put_back_at: Set(None),
        };
        parked_event::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(id)
    });
    parked.await.unwrap()
}
