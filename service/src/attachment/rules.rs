//! Names of files: pure.

use validator::ValidationError;

use super::MAX_NAME_LENGTH;
use crate::text::{is_blank, nfc, refusal, visible};

/// What a file is called of which nobody has said how.
const UNNAMED: &str = "file";
/// Names that Windows has devices for.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// What separates folders, cannot be seen, or turns the text around: `exe.fdp` must not look like a PDF.
fn is_unsafe(c: char) -> bool {
    let is_direction = matches!(c,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_direction || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}')
}

/// Refuses a name that is none, or that does something to who saves the file.
pub(super) fn name(name: &str) -> Result<(), ValidationError> {
    visible(name)?;
    let refused = name.chars().any(is_unsafe) || [".", ".."].contains(&name.trim());
    if refused {
        let message = "must be a file name without slashes and control characters";
        return Err(refusal("file_name", message));
    }
    Ok(())
}

/// The name of a file as a client has sent it, made one that can be saved: without folders, control characters, and
/// spaces and dots at its ends; shortened before its extension.
pub fn safe_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = nfc(last).chars().filter(|c| !is_unsafe(*c)).collect();
    let plain = plain.trim().trim_end_matches(['.', ' ']).trim_start();
    if is_blank(plain) {
        return UNNAMED.to_owned();
    }
    let stem = plain.split('.').next().unwrap_or_default().to_lowercase();
    let plain = if DEVICES.contains(&&*stem) { format!("_{plain}") } else { plain.to_owned() };
    shortened(&plain)
}

fn shortened(name: &str) -> String {
    const LONGEST_EXTENSION: usize = 20;
    if name.chars().count() <= MAX_NAME_LENGTH {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let extension = extension.filter(|it| it.chars().count() <= LONGEST_EXTENSION);
    let extension = extension.map(|it| format!(".{it}")).unwrap_or_default();
    let room = MAX_NAME_LENGTH - extension.chars().count();
    name.chars().take(room).chain(extension.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_safe() {
        for (sent, safe) in [
            ("receipt.pdf", "receipt.pdf"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\ada\scan.jpg", "scan.jpg"),
            ("  two words .txt. ", "two words .txt"),
            ("a\u{0}b\r\n.txt", "ab.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("NUL.txt", "_NUL.txt"),
            ("", "file"),
            ("..", "file"),
            ("dir/", "file"),
            ("e\u{301}.png", "\u{e9}.png"),
        ] {
            assert_eq!(safe_name(sent), safe, "{sent:?}");
            assert!(name(&safe_name(sent)).is_ok(), "{sent:?}");
        }
        let long = safe_name(&format!("{}.jpeg", "ü".repeat(400)));
        assert!(long.ends_with("ü.jpeg") && long.chars().count() == MAX_NAME_LENGTH);
    }

    #[test]
    fn what_is_no_name_of_a_file_is_refused() {
        for bad in ["", " ", ".", "..", "a/b", r"a\b", "a\nb", "a\u{202e}b"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(name("Quittung №1 (März).pdf").is_ok());
    }
}
