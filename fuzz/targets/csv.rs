//! The first byte chooses the delimiter, and the others are a file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use service::csv::fuzz;

fuzz_target!(|data: &[u8]| {
    let Some((choice, file)) = data.split_first() else { return };
    fuzz::read(file, [',', ';', '\t', '|'][usize::from(choice % 4)]);
});
