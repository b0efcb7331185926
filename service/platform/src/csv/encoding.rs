//! The bytes of a file as UTF-8, whatever it is written in.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    str,
};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

const BUFFER: usize = 16 * 1024;

/// What is read for a byte that is nothing in the encoding of the file: it is no UTF-8, and so its cell is
/// refused, as it would be in a file of UTF-8.
const MALFORMED: u8 = 0xff;

/// The encoding of a label as HTML names them, such as `windows-1252`, `latin1` or `utf-16`, or as Python does.
pub fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().to_ascii_lowercase().replace('_', "-");
    let html = match label.as_str() {
        "utf-8-sig" => "utf-8",
        "latin-1" => "latin1",
        "cp932" => "shift_jis",
        "mac-roman" => "macintosh",
        other => other,
    };
    Encoding::for_label_no_replacement(html.as_bytes())
}

/// Finds out what a file is written in: what its mark says, else `named`, else what its bytes look like.
/// Leaves the file at its first character.
pub(super) fn detect(
    file: &mut File,
    named: Option<&'static Encoding>,
    country: Option<[u8; 2]>,
) -> io::Result<&'static Encoding> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(4096).read_to_end(&mut head)?;
    let (encoding, mark) = match (Encoding::for_bom(&head), named) {
        (Some((encoding, mark)), _) => (encoding, mark),
        (None, Some(named)) => (named, 0),
        (None, None) => (guess(file, &head, country)?, 0),
    };
    file.seek(SeekFrom::Start(mark as u64))?;
    Ok(encoding)
}

fn guess(file: &mut File, head: &[u8], country: Option<[u8; 2]>) -> io::Result<&'static Encoding> {
    if let Some(wide) = guess_wide(head) {
        return Ok(wide);
    }
    let mut utf8 = Utf8::default();
    each_part(file, |part| utf8.look_at(part))?;
    if utf8.is_likely() {
        return Ok(UTF_8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    each_part(file, |part| {
        detector.feed(part, false);
    })?;
    detector.feed(&[], true);
    let country = country.as_ref().map(<[u8; 2]>::as_slice);
    Ok(detector.guess(country, Utf8Detection::Deny))
}

fn each_part(file: &mut File, mut look: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => look(&buffer[..count]),
        }
    }
}

/// UTF-16 without a mark: every other byte of what is mostly digits and Latin letters is zero.
fn guess_wide(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|it| **it == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    if pairs < 2 || (even + odd) * 3 < pairs {
        return None;
    }
    if odd > even * 4 { Some(UTF_16LE) } else { (even > odd * 4).then_some(UTF_16BE) }
}

/// Whether bytes are UTF-8, but for some that are broken.
#[derive(Default)]
struct Utf8 {
    /// The beginning of a character that the next part ends.
    begun: Vec<u8>,
    characters: u64,
    broken: u64,
}

impl Utf8 {
    fn look_at(&mut self, part: &[u8]) {
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend_from_slice(part);
        let mut rest = bytes.as_slice();
        loop {
            let (valid, broken) = match str::from_utf8(rest) {
                Ok(_) => (rest.len(), None),
                Err(error) => (error.valid_up_to(), error.error_len().or(Some(0))),
            };
            self.characters += rest[..valid].iter().filter(|byte| **byte >= 0xc0).count() as u64;
            match broken {
                None => return,
                Some(0) => {
                    self.begun = rest[valid..].to_vec();
                    return;
                }
                Some(length) => {
                    self.broken += 1;
                    rest = &rest[valid + length..];
                }
            }
        }
    }

    /// One broken byte does not make another encoding of a file in which others are whole characters of
    /// several bytes: hardly any text of another encoding looks so.
    fn is_likely(&self) -> bool {
        let broken = self.broken + u64::from(!self.begun.is_empty());
        broken == 0 || self.characters > broken
    }
}

/// A file as UTF-8, without its mark.
pub(super) struct Decoded<R> {
    inner: R,
    /// None where the file is UTF-8: it is read as it is.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    at: usize,
    /// What is decoded and not yet read.
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
    finished: bool,
}

impl<R> Decoded<R> {
    pub(super) fn of(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Self {
            inner,
            decoder,
            raw: Vec::new(),
            at: 0,
            ready: Vec::new(),
            taken: 0,
            ended: false,
            finished: false,
        }
    }
}

impl<R: Read> Decoded<R> {
    /// Decodes some more.
    fn decode(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        if self.at == self.raw.len() && !self.ended {
            self.raw.resize(BUFFER, 0);
            let count = self.inner.read(&mut self.raw)?;
            self.raw.truncate(count);
            (self.at, self.ended) = (0, count == 0);
        }
        self.taken = 0;
        self.ready.resize(BUFFER, 0);
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(
            &self.raw[self.at..],
            &mut self.ready[..BUFFER - 1],
            self.ended,
        );
        self.at += read;
        self.ready.truncate(written);
        match result {
            DecoderResult::Malformed(..) => self.ready.push(MALFORMED),
            DecoderResult::InputEmpty => self.finished = self.ended,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.decoder.is_none() {
            return self.inner.read(buffer);
        }
        while self.taken == self.ready.len() {
            if self.finished {
                return Ok(0);
            }
            self.decode()?;
        }
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8], named: Option<&'static Encoding>, country: Option<[u8; 2]>) -> String {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("room");
        let encoding = detect(&mut file, named, country).expect("an encoding");
        let mut text = Vec::new();
        Decoded::of(file, encoding).read_to_end(&mut text).expect("a text");
        String::from_utf8(text).expect("UTF-8")
    }

    fn encoded(text: &str, label: &str) -> Vec<u8> {
        let (bytes, _, unmappable) = encoding(label).expect("an encoding").encode(text);
        assert!(!unmappable, "{text} in {label}");
        bytes.into_owned()
    }

    fn wide(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = if mark { "\u{feff}" } else { "" };
        format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn what_a_file_is_written_in_is_found() {
        for (text, label, country) in [
            ("Datum;Empfänger\n01.02.2026;Bäckerei Süß\n", "windows-1252", None),
            ("Date;Libellé;Débit;Crédit\n01/02/2026;Café de l’été;5,00;\n", "windows-1252", None),
            (
                "Data operacji;Kwota;Opis\n01-02-2026;Żabka Łódź, płatność kartą\n",
                "windows-1250",
                None,
            ),
            (
                "Datum;Částka;Popis\n1.2.2026;-5,00;Platba kartou, Košík, příjemce\n",
                "windows-1250",
                None,
            ),
            (
                "Könyvelés dátuma;Összeg\n2026.02.01;Vásárlás, étterem, fizetés\n",
                "windows-1250",
                Some(*b"hu"),
            ),
            ("取引日,金額,摘要\n2026/02/01,500,コンビニ支払い\n", "shift_jis", None),
            ("Data;Descrição;Valor\n01/02/2026;Cartão de crédito;-5,00\n", "windows-1252", None),
        ] {
            assert_eq!(read(&encoded(text, label), None, country), text, "{label}");
            assert_eq!(read(text.as_bytes(), None, country), text);
        }
    }

    #[test]
    fn a_mark_comes_before_what_is_said() {
        let text = "Date\tText\n2026-03-01\tCafé Zoé\n";
        let utf16 = encoding("utf-16");
        for (bytes, named) in [
            (wide(text, true, u16::to_le_bytes), None),
            (wide(text, true, u16::to_be_bytes), None),
            (wide(text, true, u16::to_be_bytes), Some(UTF_8)),
            (wide(text, false, u16::to_le_bytes), None),
            (wide(text, false, u16::to_be_bytes), None),
            (wide(text, false, u16::to_le_bytes), utf16),
            (format!("\u{feff}{text}").into_bytes(), encoding("latin1")),
            (encoded(text, "cp1252"), encoding("latin1")),
            (encoded(text, "macintosh"), encoding("macintosh")),
        ] {
            assert_eq!(read(&bytes, named, None), text, "{bytes:?}");
        }
        assert_eq!(encoding("utf-8-sig"), Some(UTF_8));
        assert_eq!(encoding("nonsense"), None);
    }

    /// Read byte by byte too, so that a character is in two parts.
    #[test]
    fn utf_8_with_a_broken_byte_is_still_utf_8() {
        let mut utf8 = Utf8::default();
        for byte in "Süß und Ähre".bytes().chain([0xff]) {
            utf8.look_at(&[byte]);
        }
        assert_eq!((utf8.characters, utf8.broken, utf8.is_likely()), (3, 1, true));
        let mut latin = Utf8::default();
        latin.look_at(b"caf\xe9, S\xfc\xdf");
        assert!(!latin.is_likely());
    }

    #[test]
    fn what_is_nothing_in_an_encoding_is_no_text() {
        let mut text = Vec::new();
        let odd: &[u8] = &[b'a', 0, 0x00, 0xd8, b'b', 0, b'c'];
        Decoded::of(odd, UTF_16LE).read_to_end(&mut text).expect("bytes");
        assert_eq!(text, [b'a', MALFORMED, b'b', MALFORMED]);
    }
}
