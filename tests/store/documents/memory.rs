//! Documents in memory.

use std::sync::Arc;

use service::document::engine::memory::Memory;

use super::{
    keeps_its_promises,
    room::{Room, SOME},
};

#[tokio::test]
async fn memory_keeps_its_promises() {
    keeps_its_promises(Arc::new(Memory::new())).await;
}

#[tokio::test]
async fn what_is_in_memory_is_not_shown() {
    let memory = Arc::new(Memory::new());
    let engine: Arc<dyn service::document::engine::Engine> = memory.clone();
    Room::new(&engine).create("k3y", SOME).await;
    assert_eq!(format!("{memory:?}"), "Memory");
}
