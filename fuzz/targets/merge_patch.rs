//! The first line is a document, and the rest is a patch.
#![no_main]

use libfuzzer_sys::fuzz_target;
use service::input::fuzz;

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    fuzz::merge_patch(&data[..end], &data[end + 1..]);
});
