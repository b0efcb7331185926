//! What banks call their columns, and which way money went, in the languages of their customers.

mod columns;
mod rows;
mod statuses;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use self::columns::{AFTER_FEES, FOREIGN, NUMBERS, Names, ROLES};
pub(super) use self::{
    rows::{
        Way, begins_as_total, is_balance, is_card_payment, is_income, is_neutral, is_of_card,
        is_total, way,
    },
    statuses::{Status, status, unbooked},
};

/// What a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Date,
    Amount,
    Debit,
    Credit,
    Direction,
    Merchant,
    Note,
    Currency,
    Balance,
    /// Whether a row is booked.
    Status,
    Latitude,
    Longitude,
}

/// A text as it is compared: without case and marks on letters, and with one space between words.
pub(super) fn normalized(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let mut words = String::new();
    for c in plain {
        match c {
            'ł' => words.push('l'),
            'ø' => words.push('o'),
            'đ' => words.push('d'),
            'ı' => words.push('i'),
            'ß' => words.push_str("ss"),
            'æ' => words.push_str("ae"),
            'œ' => words.push_str("oe"),
            c if c.is_alphanumeric() => words.push(c),
            _ if words.ends_with(' ') => {}
            _ => words.push(' '),
        }
    }
    words.trim().to_owned()
}

/// Whether the words of one text stand in another one. Those of Chinese writing have no space between them.
fn contains(text: &str, phrase: &str) -> bool {
    if !phrase.is_ascii() {
        return text.contains(phrase);
    }
    let mut places = text.match_indices(phrase);
    places.any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        (before.is_empty() || before.ends_with(' ')) && (after.is_empty() || after.starts_with(' '))
    })
}

/// What a column may be by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) role: Role,
    pub(super) weight: u32,
    /// Whether English calls it so.
    pub(super) is_english: bool,
}

fn guess(name: &str, role: Role, (english, others): (Names, Names)) -> Option<Guess> {
    let weigh = |names: Names| {
        // Short words mean it only where they stand alone: an amount is `in CHF`, too.
        let is_it = |phrase: &str| phrase == name || (phrase.len() > 3 && contains(name, phrase));
        let known = names.iter().filter(|(phrase, _)| is_it(phrase));
        known.map(|(phrase, weight)| weight + if *phrase == name { 6 } else { 0 }).max()
    };
    let (english, others) = (weigh(english), weigh(others));
    let weight = english.max(others)?;
    Some(Guess { role, weight, is_english: english >= others })
}

/// The name of a column as it is compared: `dateOp` is two words, and `Beschreibung1` one of several.
fn header_words(header: &str) -> String {
    let mut spaced = String::with_capacity(header.len() + 4);
    let mut was_lower = false;
    for c in header.chars() {
        if was_lower && c.is_uppercase() {
            spaced.push(' ');
        }
        was_lower = c.is_lowercase();
        spaced.push(c);
    }
    let words = normalized(&spaced);
    let name = words.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    if name.is_empty() { words } else { name.to_owned() }
}

/// What a column may be by its name. One that names both sides says which one it is.
pub(super) fn guesses(header: &str) -> Vec<Guess> {
    let name = header_words(header);
    let mut found: Vec<Guess> =
        ROLES.iter().filter_map(|(role, names)| guess(&name, *role, *names)).collect();
    let has = |found: &[Guess], role| found.iter().any(|it| it.role == role);
    let weight_of = |found: &[Guess], role| {
        found.iter().filter(|it| it.role == role).map(|it| it.weight).max().unwrap_or_default()
    };
    // `入出金` is what went in or out.
    let is_both = name.contains("入出金");
    if is_both || (has(&found, Role::Debit) && has(&found, Role::Credit)) {
        found.retain(|it| !matches!(it.role, Role::Debit | Role::Credit));
        if !is_both {
            found.retain(|it| it.role != Role::Direction);
            found.push(Guess { role: Role::Direction, weight: 30, is_english: false });
            // `Withdrawal (Dr) / Deposit (Cr)` has amounts that say themselves which way they went.
            found.push(Guess { role: Role::Amount, weight: 10, is_english: true });
        }
    }
    let isnt = |role| move |it: &Guess| it.role != role;
    if has(&found, Role::Balance) {
        // `Balance Impact` says which way the balance went.
        let is_way = weight_of(&found, Role::Direction) > weight_of(&found, Role::Balance);
        let kept = if is_way { Role::Direction } else { Role::Balance };
        found.retain(|it| it.role == kept);
    }
    if has(&found, Role::Date) {
        found.retain(|it| matches!(it.role, Role::Date | Role::Currency));
    }
    if has(&found, Role::Debit) || has(&found, Role::Credit) {
        found.retain(isnt(Role::Amount));
    }
    if NUMBERS.iter().any(|word| contains(&name, word)) {
        found.retain(isnt(Role::Merchant));
    }
    if is_foreign(header) {
        found.retain(isnt(Role::Currency));
        found.iter_mut().filter(|it| it.role == Role::Amount).for_each(|it| it.weight = 1);
    }
    found
}

/// Whether a column is not about the amounts of the account itself.
pub(super) fn is_foreign(header: &str) -> bool {
    let mut name = header_words(header);
    for phrase in AFTER_FEES {
        name = name.replace(phrase, "");
    }
    FOREIGN.iter().any(|word| contains(&name, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_columns_are_called() {
        for (header, role) in [
            ("Buchungstag", Role::Date),
            ("Valutadatum", Role::Date),
            ("Date d'opération", Role::Date),
            ("Data operacji", Role::Date),
            ("Könyvelés dátuma", Role::Date),
            ("取引日", Role::Date),
            ("Betrag (EUR)", Role::Amount),
            ("Montant", Role::Amount),
            ("Částka", Role::Amount),
            ("Kwota", Role::Amount),
            ("Umsatz in EUR", Role::Amount),
            ("Gutschrift in CHF", Role::Credit),
            ("Beløb", Role::Amount),
            ("Összeg", Role::Amount),
            ("Valor (R$)", Role::Amount),
            ("Débit", Role::Debit),
            ("Withdrawal Amt.", Role::Debit),
            ("Ut fra konto", Role::Debit),
            ("Paid out", Role::Debit),
            ("Crédit", Role::Credit),
            ("Deposit Amt.", Role::Credit),
            ("Inn på konto", Role::Credit),
            ("In/Out", Role::Direction),
            ("Af Bij", Role::Direction),
            ("Debit/Credit", Role::Direction),
            ("Soll/Haben", Role::Direction),
            ("Empfänger", Role::Merchant),
            ("Libellé", Role::Merchant),
            ("Währung", Role::Currency),
            ("Saldo po operacji", Role::Balance),
            ("dateOp", Role::Date),
            ("F. VALOR", Role::Date),
            ("RunningBalance", Role::Balance),
            ("Beschreibung1", Role::Merchant),
            ("Name Zahlungsbeteiligter", Role::Merchant),
            ("Balance Impact", Role::Direction),
            ("Deb_Cred", Role::Direction),
            ("入出金(円)", Role::Amount),
            ("お引出し", Role::Debit),
            ("Source amount (after fees)", Role::Amount),
            ("Buchungsstatus", Role::Status),
            ("Contabilizzazione", Role::Status),
            ("Lat", Role::Latitude),
            ("Längengrad", Role::Longitude),
        ] {
            let best = guesses(header).into_iter().max_by_key(|it| it.weight).map(|it| it.role);
            assert_eq!(best, Some(role), "{header}");
        }
        assert_eq!(guesses("Kind of thing"), []);
        // Of the same account, but not its amounts; the number of a partner, but not its name.
        let weight = |header| guesses(header).iter().map(|it| it.weight).max();
        assert!(weight("Source fee amount") < weight("Source amount (after fees)"));
        assert!(weight("Local amount") < weight("Amount"));
        assert_eq!(guesses("Partner IBAN"), []);
    }
}
