//! Where the lines of a file end, which the CSV reader forgets.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

/// A file that remembers the ends of the lines that have been read but not asked for: as many as
/// the CSV reader has in its buffer.
pub(super) struct Lines<R> {
    inner: R,
    read: u64,
    ends: VecDeque<u64>,
}

impl<R> Lines<R> {
    pub(super) fn of(inner: R) -> Self {
        Self { inner, read: 0, ends: VecDeque::new() }
    }

    /// Whether the byte before this place ends a line. Places may only be asked for in order.
    pub(super) fn ended_before(&mut self, place: u64) -> bool {
        let mut last = None;
        while let Some(end) = self.ends.pop_front_if(|end| *end < place) {
            last = Some(end);
        }
        last.is_some_and(|end| end + 1 == place)
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let ends = buffer[..count].iter().zip(self.read..).filter(|(byte, _)| **byte == b'\n');
        self.ends.extend(ends.map(|(_, place)| place));
        self.read += count as u64;
        Ok(count)
    }
}
