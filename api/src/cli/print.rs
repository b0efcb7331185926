//! What commands print. A reader that goes away (`steward verify | head`) ends no command: what it was told to do is
//! done to its end, and the rest of what it says is dropped.

use std::{
    fmt,
    io::{self, ErrorKind, Write},
    process::exit,
};

/// Prints a line on standard output, as `println!` does.
macro_rules! out {
    ($($part:tt)*) => { $crate::cli::print::line(format_args!($($part)*)) };
}
pub(crate) use out;

/// Prints a line on standard output. Ends the process where it cannot be written: on a full disk, say.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    if let Err(error) = write(io::stdout().lock(), text) {
        err(format_args!("steward: standard output: {error}"));
        exit(1);
    }
}

/// Prints a line on standard error, which is the last that there is to say it on.
pub fn err(text: fmt::Arguments<'_>) {
    let _ = write(io::stderr().lock(), text);
}

/// Writes a line, unless nobody reads it any more.
fn write(mut to: impl Write, text: fmt::Arguments<'_>) -> io::Result<()> {
    match writeln!(to, "{text}").and_then(|()| to.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes nothing, for this reason.
    struct Closed(ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        assert!(write(Closed(ErrorKind::BrokenPipe), format_args!("x")).is_ok());
        assert!(write(Closed(ErrorKind::StorageFull), format_args!("x")).is_err());
        let mut text = Vec::new();
        write(&mut text, format_args!("a {}", 1)).expect("room");
        assert_eq!(text, b"a 1\n");
    }
}
