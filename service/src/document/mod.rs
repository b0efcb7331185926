//! Documents: JSON of any shape, kept to the letter, in collections that say who may read and write them.

pub mod collection;
// The aggregate has the name of its wing.
#[allow(clippy::module_inception)]
pub mod document;
