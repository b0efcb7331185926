use std::{fmt, str::FromStr};

/// A place in PostgreSQL's write-ahead log (LSN): a server that has replayed it shows all that was committed before.
/// Written as PostgreSQL writes it: `16/B374D848`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WalPosition(u64);

/// A text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position as in 16/B374D848")]
pub struct NotAPosition;

impl WalPosition {
    /// How many bytes of log lie between this position and a later one; zero if that one is not later.
    pub fn bytes_to(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

impl fmt::Display for WalPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

impl FromStr for WalPosition {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let half = |digits: &str| {
            let sound = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let half = u32::from_str_radix(digits, 16).ok().filter(|_| sound);
            half.map(u64::from).ok_or(NotAPosition)
        };
        let (high, low) = text.split_once('/').ok_or(NotAPosition)?;
        Ok(Self((half(high)? << 32) | half(low)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_is_read_as_it_is_written(one: u64, other: u64) {
            let (one, other) = (WalPosition(one), WalPosition(other));
            prop_assert_eq!(one.to_string().parse(), Ok(one));
            prop_assert_eq!(one < other, one.0 < other.0);
            prop_assert_eq!(one.bytes_to(other) > 0, one < other);
        }
    }

    #[test]
    fn a_position_is_written_as_postgresql_writes_it() {
        assert_eq!(WalPosition(0x16_b374_d848).to_string(), "16/B374D848");
        assert_eq!("0/1".parse(), Ok(WalPosition(1)));
        assert_eq!("16/b374d848".parse(), Ok(WalPosition(0x16_b374_d848)));
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in
            ["", "/", "1", "1/", "/1", "g/1", "+1/1", "1/-1", "1/2/3", "100000000/0", " 1/1"]
        {
            assert_eq!(text.parse::<WalPosition>(), Err(NotAPosition), "{text:?}");
        }
    }
}
