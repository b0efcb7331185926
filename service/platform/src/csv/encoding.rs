//! The bytes of a file as UTF-8, whatever it is written in.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    str,
};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};
use oem_cp::code_table;

const BUFFER: usize = 16 * 1024;

/// What is read for a byte that is nothing in the encoding of the file: it is no UTF-8, and so its cell is
/// refused, as it would be in a file of UTF-8.
const MALFORMED: u8 = 0xff;

/// What the bytes of a file mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One of those that browsers know.
    Web(&'static encoding_rs::Encoding),
    Dos(&'static CodePage),
}

/// An encoding of DOS: one byte for each character, and the first half as ASCII has it.
#[derive(Debug, PartialEq, Eq)]
struct CodePage {
    number: &'static str,
    name: &'static str,
    upper: &'static [char; 128],
}

/// Those of western, central and northern Europe. Browsers know 866, the one of Cyrillic letters.
static CODE_PAGES: [CodePage; 5] = [
    CodePage { number: "437", name: "cp437", upper: &code_table::DECODING_TABLE_CP437 },
    CodePage { number: "850", name: "cp850", upper: &code_table::DECODING_TABLE_CP850 },
    CodePage { number: "852", name: "cp852", upper: &code_table::DECODING_TABLE_CP852 },
    CodePage { number: "858", name: "cp858", upper: &code_table::DECODING_TABLE_CP858 },
    CodePage { number: "865", name: "cp865", upper: &code_table::DECODING_TABLE_CP865 },
];

impl Encoding {
    pub(super) fn utf_8() -> Self {
        Self(Kind::Web(UTF_8))
    }

    /// Its label, which [`encoding`] reads.
    pub fn name(self) -> String {
        match self.0 {
            Kind::Web(web) => web.name().to_lowercase(),
            Kind::Dos(page) => page.name.to_owned(),
        }
    }
}

/// The encoding of a label as HTML names them, such as `windows-1252`, `latin1` or `utf-16`, or as Python does;
/// or of the number of a code page of DOS, such as `cp850` or `ibm437`.
pub fn encoding(label: &str) -> Option<Encoding> {
    let label = label.trim().to_ascii_lowercase().replace('_', "-");
    let prefixes = ["cp", "ibm", "dos", "oem"];
    let number = prefixes.iter().find_map(|prefix| label.strip_prefix(prefix));
    let number = number.unwrap_or(label.as_str()).trim_start_matches('-');
    if let Some(page) = CODE_PAGES.iter().find(|page| page.number == number) {
        return Some(Encoding(Kind::Dos(page)));
    }
    let html = match label.as_str() {
        "utf-8-sig" => "utf-8",
        "latin-1" => "latin1",
        "cp932" => "shift_jis",
        "mac-roman" => "macintosh",
        other => other,
    };
    let web = encoding_rs::Encoding::for_label_no_replacement(html.as_bytes());
    web.map(|web| Encoding(Kind::Web(web)))
}

/// Finds out what a file is written in: what its mark says, else `named`, else what its bytes look like.
/// Leaves the file at its first character.
pub(super) fn detect(
    file: &mut File,
    named: Option<Encoding>,
    country: Option<[u8; 2]>,
) -> io::Result<Encoding> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(4096).read_to_end(&mut head)?;
    let (encoding, mark) = match (encoding_rs::Encoding::for_bom(&head), named) {
        (Some((encoding, mark)), _) => (Encoding(Kind::Web(encoding)), mark),
        (None, Some(named)) => (named, 0),
        (None, None) => (guess(file, &head, country)?, 0),
    };
    file.seek(SeekFrom::Start(mark as u64))?;
    Ok(encoding)
}

fn guess(file: &mut File, head: &[u8], country: Option<[u8; 2]>) -> io::Result<Encoding> {
    if let Some(wide) = guess_wide(head) {
        return Ok(Encoding(Kind::Web(wide)));
    }
    let mut utf8 = Utf8::default();
    let mut dos = Dos::default();
    each_part(file, |part| {
        utf8.look_at(part);
        dos.look_at(part);
    })?;
    if utf8.is_likely() {
        return Ok(Encoding::utf_8());
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    each_part(file, |part| {
        detector.feed(part, false);
    })?;
    detector.feed(&[], true);
    let country = country.as_ref().map(<[u8; 2]>::as_slice);
    let web = detector.guess(country, Utf8Detection::Deny);
    if web.is_single_byte()
        && dos.is_likely()
        && let Some(page) = encoding("cp850")
    {
        return Ok(page);
    }
    Ok(Encoding(Kind::Web(web)))
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
fn guess_wide(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
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

/// Whether bytes are of a code page of DOS: they have `ü`, `é`, `ä` or `ö` of it within words, where Windows has
/// marks that stand between words, and no letter of Windows. What all code pages share, 850 reads.
#[derive(Default)]
struct Dos {
    last: [u8; 2],
    letters: u64,
    others: u64,
}

impl Dos {
    fn look_at(&mut self, part: &[u8]) {
        for byte in part {
            let [before, at] = self.last;
            if before.is_ascii_alphabetic() && byte.is_ascii_alphabetic() {
                self.letters += u64::from(matches!(at, 0x81 | 0x82 | 0x84 | 0x94));
                // `ß` of DOS is `á` of Windows.
                self.others += u64::from(at >= 0xc0 && at != 0xe1);
            }
            self.last = [at, *byte];
        }
    }

    fn is_likely(&self) -> bool {
        self.letters > 0 && self.others == 0
    }
}

/// A file as UTF-8, without its mark.
pub(super) struct Decoded<R> {
    inner: R,
    coding: Coding,
    raw: Vec<u8>,
    at: usize,
    /// What is decoded and not yet read.
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
    finished: bool,
}

enum Coding {
    /// UTF-8 is read as it is.
    Utf8,
    Web(Decoder),
    Dos(&'static CodePage),
}

impl<R> Decoded<R> {
    pub(super) fn of(inner: R, encoding: Encoding) -> Self {
        let coding = match encoding.0 {
            _ if encoding == Encoding::utf_8() => Coding::Utf8,
            Kind::Web(web) => Coding::Web(web.new_decoder_without_bom_handling()),
            Kind::Dos(page) => Coding::Dos(page),
        };
        Self {
            inner,
            coding,
            raw: Vec::new(),
            at: 0,
            ready: Vec::new(),
            taken: 0,
            ended: false,
            finished: false,
        }
    }
}

impl CodePage {
    fn decode(&self, byte: u8) -> char {
        match byte.checked_sub(128) {
            Some(upper) => self.upper[usize::from(upper)],
            None => char::from(byte),
        }
    }
}

impl<R: Read> Decoded<R> {
    /// Decodes some more.
    fn decode(&mut self) -> io::Result<()> {
        if self.at == self.raw.len() && !self.ended {
            self.raw.resize(BUFFER, 0);
            let count = self.inner.read(&mut self.raw)?;
            self.raw.truncate(count);
            (self.at, self.ended) = (0, count == 0);
        }
        self.taken = 0;
        let raw = &self.raw[self.at..];
        match &mut self.coding {
            Coding::Utf8 => {}
            Coding::Dos(page) => {
                let text: String = raw.iter().map(|byte| page.decode(*byte)).collect();
                self.at += raw.len();
                self.ready = text.into_bytes();
                self.finished = self.ended;
            }
            Coding::Web(decoder) => {
                self.ready.resize(BUFFER, 0);
                let ready = &mut self.ready[..BUFFER - 1];
                let (result, read, written) =
                    decoder.decode_to_utf8_without_replacement(raw, ready, self.ended);
                self.at += read;
                self.ready.truncate(written);
                match result {
                    DecoderResult::Malformed(..) => self.ready.push(MALFORMED),
                    DecoderResult::InputEmpty => self.finished = self.ended,
                    DecoderResult::OutputFull => {}
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.coding, Coding::Utf8) {
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

    fn read(bytes: &[u8], named: Option<Encoding>, country: Option<[u8; 2]>) -> String {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("room");
        let encoding = detect(&mut file, named, country).expect("an encoding");
        let mut text = Vec::new();
        Decoded::of(file, encoding).read_to_end(&mut text).expect("a text");
        String::from_utf8(text).expect("UTF-8")
    }

    fn encoded(text: &str, label: &str) -> Vec<u8> {
        let Some(Encoding(Kind::Web(web))) = encoding(label) else { panic!("{label} is none") };
        let (bytes, _, unmappable) = web.encode(text);
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
            (wide(text, true, u16::to_be_bytes), Some(Encoding::utf_8())),
            (wide(text, false, u16::to_le_bytes), None),
            (wide(text, false, u16::to_be_bytes), None),
            (wide(text, false, u16::to_le_bytes), utf16),
            (format!("\u{feff}{text}").into_bytes(), encoding("latin1")),
            (encoded(text, "cp1252"), encoding("latin1")),
            (encoded(text, "macintosh"), encoding("macintosh")),
        ] {
            assert_eq!(read(&bytes, named, None), text, "{bytes:?}");
        }
        assert_eq!(encoding("utf-8-sig"), Some(Encoding::utf_8()));
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
        let utf16 = Encoding(Kind::Web(UTF_16LE));
        Decoded::of(odd, utf16).read_to_end(&mut text).expect("bytes");
        assert_eq!(text, [b'a', MALFORMED, b'b', MALFORMED]);
    }

    #[test]
    fn code_pages_of_dos_are_known_by_their_numbers() {
        let file = b"Empf\x84nger;Betrag\nB\x84ckerei S\x81\xe1;5,00\n";
        for label in ["cp850", "CP_437", "ibm850", "437"] {
            let text = read(file, encoding(label), None);
            assert_eq!(text, "Empfänger;Betrag\nBäckerei Süß;5,00\n", "{label}");
        }
        // Central Europe, and the euro.
        assert_eq!(read(b"\x88\xa2d\xab", encoding("cp852"), None), "łódź");
        assert_eq!(read(b"\xd5 5", encoding("cp858"), None), "€ 5");
        assert_eq!(encoding("cp850").map(Encoding::name).as_deref(), Some("cp850"));
        assert_eq!(encoding("cp1252"), encoding("windows-1252"));
    }

    #[test]
    fn letters_of_dos_stand_within_words() {
        let is_likely = |bytes: &[u8]| {
            let mut dos = Dos::default();
            bytes.chunks(1).for_each(|part| dos.look_at(part));
            dos.is_likely()
        };
        assert!(is_likely(b"B\x84ckerei S\x81\xe1"));
        assert!(!is_likely(b"B\xe4ckerei S\xfc\xdf"));
        assert!(!is_likely(b"\x84Caf\xe9 de l\x92\xe9t\xe9\x94"));
        assert!(!is_likely(b"plain"));
    }
}
