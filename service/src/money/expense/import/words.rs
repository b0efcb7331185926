//! What banks call their columns, and which way money went, in the languages of their customers.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

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
}

/// Names of columns as [`normalized`] gives them, each with how much it says: a day of booking is
/// rather meant than one of value, the name of a partner rather than a description. Those of English first.
type Names = &'static [(&'static str, u32)];

const DATES: (Names, Names) = (
    &[
        ("date", 20),
        ("booking date", 30),
        ("posting date", 28),
        ("transaction date", 30),
        ("posted", 25),
        ("value date", 5),
        ("completed date", 26),
        ("started date", 10),
        ("day", 20),
        ("created on", 15),
        ("time", 4),
        ("timestamp", 10),
        ("post date", 22),
        ("trans date", 30),
        ("txn date", 30),
    ],
    &[
        ("datum", 20),
        ("data", 18),
        ("fecha", 20),
        ("dato", 18),
        ("dag", 15),
        ("tag", 15),
        ("buchungstag", 30),
        ("buchungsdatum", 30),
        ("buchung", 12),
        ("valutadatum", 5),
        ("valuta", 3),
        ("wertstellung", 5),
        ("wertstellungstag", 5),
        ("boekdatum", 30),
        ("boekingsdatum", 30),
        ("rentedatum", 5),
        ("date de comptabilisation", 30),
        ("date operation", 30),
        ("date d operation", 30),
        ("date de l operation", 30),
        ("date valeur", 5),
        ("date de valeur", 5),
        ("data operacji", 30),
        ("data transakcji", 30),
        ("data ksiegowania", 25),
        ("data waluty", 5),
        ("datum zauctovani", 30),
        ("datum provedeni", 28),
        ("data lancamento", 30),
        ("data contabile", 25),
        ("data valuta", 5),
        ("fecha operacion", 30),
        ("fecha valor", 5),
        ("bokforingsdag", 30),
        ("bokforingsdato", 30),
        ("bokfort dato", 30),
        ("bokforingsdatum", 30),
        ("transaktionsdag", 25),
        ("transaktionsdatum", 25),
        ("kirjauspaiva", 30),
        ("maksupaiva", 10),
        ("pvm", 20),
        ("paivamaara", 20),
        ("konyveles datuma", 30),
        ("konyvelesi datum", 30),
        ("tranzakcio datuma", 28),
        ("erteknap", 5),
        ("tarih", 20),
        ("日付", 20),
        ("取引日", 30),
        ("利用日", 28),
        ("年月日", 20),
    ],
);
const AMOUNTS: (Names, Names) = (
    &[
        ("amount", 20),
        ("transaction amount", 30),
        ("sum", 15),
        ("gross", 12),
        ("net", 8),
        ("value", 6),
        ("total", 6),
    ],
    &[
        ("betrag", 20),
        ("umsatz", 15),
        ("montant", 20),
        ("bedrag", 20),
        ("importe", 20),
        ("importo", 20),
        ("valor", 18),
        ("quantia", 15),
        ("kwota", 20),
        ("castka", 20),
        ("objem", 18),
        ("suma", 15),
        ("osszeg", 20),
        ("belopp", 20),
        ("belob", 20),
        ("belop", 20),
        ("summa", 18),
        ("maara", 18),
        ("monto", 20),
        ("iznos", 20),
        ("tutar", 20),
        ("利用金額", 22),
        ("金額", 20),
        ("取引金額", 25),
    ],
);
const DEBITS: (Names, Names) = (
    &[
        ("debit", 20),
        ("debits", 20),
        ("withdrawal", 20),
        ("withdrawals", 20),
        ("paid out", 20),
        ("money out", 20),
        ("outgoing", 18),
        ("spent", 15),
        ("dr", 12),
        ("out", 8),
    ],
    &[
        ("debet", 20),
        ("soll", 20),
        ("belastung", 20),
        ("lastschrift", 18),
        ("belastungen", 20),
        ("ausgang", 18),
        ("ausgabe", 15),
        ("ausgaben", 15),
        ("abgang", 18),
        ("debito", 20),
        ("debitos", 20),
        ("cargo", 20),
        ("cargos", 20),
        ("retiro", 18),
        ("retiros", 18),
        ("adeudo", 18),
        ("saida", 18),
        ("saidas", 18),
        ("uscite", 18),
        ("uscita", 18),
        ("dare", 18),
        ("addebito", 18),
        ("addebiti", 18),
        ("obciazenie", 18),
        ("obciazenia", 18),
        ("wydatki", 15),
        ("vydaje", 15),
        ("vydaj", 15),
        ("odepsano", 18),
        ("terheles", 18),
        ("terhelesek", 18),
        ("ut", 15),
        ("ut fra konto", 20),
        ("ud", 12),
        ("uttag", 18),
        ("utgifter", 15),
        ("afschrijving", 18),
        ("af", 12),
        ("depense", 15),
        ("depenses", 15),
        ("sorties", 15),
        ("retrait", 15),
        ("出金", 18),
        ("出金金額", 20),
        ("支払金額", 18),
        ("引出し", 15),
        ("引き出し", 15),
        ("支払い金額", 18),
    ],
);
const CREDITS: (Names, Names) = (
    &[
        ("credit", 20),
        ("credits", 20),
        ("deposit", 20),
        ("deposits", 20),
        ("paid in", 20),
        ("money in", 20),
        ("incoming", 18),
        ("received", 15),
        ("cr", 12),
        ("in", 8),
    ],
    &[
        ("kredit", 20),
        ("haben", 20),
        ("gutschrift", 20),
        ("gutschriften", 20),
        ("eingang", 18),
        ("einnahme", 15),
        ("einnahmen", 15),
        ("zugang", 18),
        ("credito", 20),
        ("creditos", 20),
        ("abono", 20),
        ("abonos", 20),
        ("ingreso", 18),
        ("ingresos", 18),
        ("deposito", 18),
        ("depositos", 18),
        ("entrada", 18),
        ("entradas", 18),
        ("entrate", 18),
        ("entrata", 18),
        ("avere", 18),
        ("accredito", 18),
        ("accrediti", 18),
        ("uznanie", 18),
        ("uznania", 18),
        ("wplywy", 15),
        ("prijmy", 15),
        ("prijem", 15),
        ("pripsano", 18),
        ("jovairas", 18),
        ("jovairasok", 18),
        ("inn", 15),
        ("inn pa konto", 20),
        ("ind", 12),
        ("insattning", 18),
        ("insattningar", 18),
        ("bijschrijving", 18),
        ("bij", 12),
        ("recette", 15),
        ("recettes", 15),
        ("entrees", 15),
        ("versement", 12),
        ("入金", 18),
        ("入金金額", 20),
        ("預入金額", 18),
        ("預け入れ", 15),
        ("預入れ", 15),
    ],
);
const DIRECTIONS: (Names, Names) = (
    &[
        ("direction", 30),
        ("in out", 30),
        ("dr cr", 30),
        ("cr dr", 30),
        ("d c", 25),
        ("c d", 25),
        ("dc", 25),
        ("debit credit", 30),
        ("credit debit", 30),
        ("transaction type", 10),
        ("type", 8),
        ("sign", 20),
    ],
    &[
        ("richtung", 30),
        ("soll haben", 30),
        ("s h", 25),
        ("vorzeichen", 20),
        ("sens", 25),
        ("af bij", 30),
        ("typ", 8),
        ("tipo", 8),
        ("art", 8),
        ("umsatzart", 8),
        ("debet credit", 30),
        ("入出金", 30),
        ("irany", 25),
    ],
);
const MERCHANTS: (Names, Names) = (
    &[
        ("payee", 40),
        ("merchant", 40),
        ("counterparty", 35),
        ("partner", 35),
        ("name", 30),
        ("beneficiary", 30),
        ("description", 20),
        ("narration", 20),
        ("narrative", 18),
        ("details", 15),
        ("particulars", 18),
        ("title", 15),
        ("text", 15),
        ("shop", 30),
        ("vendor", 35),
        ("memo", 8),
        ("recipient", 30),
    ],
    &[
        ("empfanger", 35),
        ("zahlungsempfanger", 40),
        ("begunstigter", 35),
        ("zahlungspflichtiger", 30),
        ("auftraggeber", 25),
        ("zahlungsbeteiligter", 38),
        ("beguenstigter", 35),
        ("naam", 30),
        ("tegenpartij", 35),
        ("naam tegenpartij", 40),
        ("contrepartie", 35),
        ("beneficiaire", 30),
        ("libelle", 20),
        ("intitule", 18),
        ("omschrijving", 20),
        ("mededelingen", 10),
        ("tekst", 15),
        ("beschreibung", 18),
        ("buchungstext", 8),
        ("descripcion", 20),
        ("concepto", 20),
        ("beneficiario", 30),
        ("descricao", 20),
        ("historico", 18),
        ("estabelecimento", 40),
        ("titulo", 15),
        ("descrizione", 20),
        ("causale", 12),
        ("opis", 20),
        ("opis operacji", 22),
        ("nadawca", 25),
        ("odbiorca", 35),
        ("kontrahent", 40),
        ("nazwa", 25),
        ("nazev protiuctu", 35),
        ("nazev", 25),
        ("popis", 20),
        ("protistrana", 35),
        ("nev", 25),
        ("partner neve", 40),
        ("kedvezmenyezett", 35),
        ("megnevezes", 20),
        ("mottagare", 35),
        ("modtager", 35),
        ("mottaker", 35),
        ("beskrivning", 20),
        ("beskrivelse", 20),
        ("forklaring", 18),
        ("saaja", 35),
        ("saaja maksaja", 40),
        ("selite", 15),
        ("aciklama", 20),
        ("摘要", 20),
        ("取引内容", 20),
        ("内容", 15),
        ("利用店名", 40),
        ("ご利用店名", 40),
    ],
);
const NOTES: (Names, Names) = (
    &[
        ("purpose", 20),
        ("memo", 20),
        ("note", 20),
        ("notes", 20),
        ("reference", 12),
        ("communication", 15),
        ("remarks", 15),
        ("description", 10),
        ("details", 8),
    ],
    &[
        ("verwendungszweck", 25),
        ("vermerk", 15),
        ("mededelingen", 20),
        ("mededeling", 20),
        ("omschrijving", 10),
        ("mitteilung", 15),
        ("zahlungszweck", 20),
        ("tytul", 20),
        ("tytul operacji", 22),
        ("zprava", 18),
        ("zprava pro prijemce", 22),
        ("poznamka", 15),
        ("kozlemeny", 20),
        ("viesti", 15),
        ("melding", 15),
        ("observaciones", 15),
        ("libelle", 8),
        ("opis", 8),
        ("popis", 8),
        ("concepto", 8),
    ],
);
const CURRENCIES: (Names, Names) = (
    &[("currency", 30), ("ccy", 25), ("curr", 20), ("currency code", 30)],
    &[
        ("wahrung", 30),
        ("waehrung", 30),
        ("devise", 30),
        ("munt", 20),
        ("valuta", 20),
        ("moneda", 30),
        ("moeda", 30),
        ("waluta", 30),
        ("mena", 30),
        ("penznem", 30),
        ("devizanem", 30),
        ("divisa", 30),
        ("valuutta", 30),
        ("通貨", 30),
    ],
);
const BALANCES: (Names, Names) = (
    &[("balance", 30), ("running bal", 30), ("running balance", 30), ("available", 10)],
    &[
        ("saldo", 30),
        ("solde", 30),
        ("kontostand", 30),
        ("zustatek", 30),
        ("egyenleg", 30),
        ("stan", 10),
        ("bakiye", 30),
        ("残高", 30),
        ("差引残高", 30),
    ],
);

const ROLES: [(Role, (Names, Names)); 9] = [
    (Role::Date, DATES),
    (Role::Amount, AMOUNTS),
    (Role::Debit, DEBITS),
    (Role::Credit, CREDITS),
    (Role::Direction, DIRECTIONS),
    (Role::Merchant, MERCHANTS),
    (Role::Note, NOTES),
    (Role::Currency, CURRENCIES),
    (Role::Balance, BALANCES),
];

/// Words in the name of a column of amounts that are not those of the account.
const FOREIGN: [&str; 14] = [
    "fee",
    "fees",
    "tax",
    "vat",
    "original",
    "orig",
    "foreign",
    "gebuhr",
    "steuer",
    "fremdwahrung",
    "frais",
    "oplata",
    "poplatek",
    "comision",
];

/// What stands in the column of the direction where money went out.
const OUT: [&str; 52] = [
    "debit",
    "debet",
    "dr",
    "d",
    "db",
    "dbit",
    "out",
    "outflow",
    "outgoing",
    "withdrawal",
    "expense",
    "spending",
    "spent",
    "purchase",
    "af",
    "soll",
    "s",
    "belastung",
    "lastschrift",
    "ausgang",
    "ausgabe",
    "abbuchung",
    "sortie",
    "depense",
    "debito",
    "salida",
    "cargo",
    "gasto",
    "egreso",
    "uscita",
    "addebito",
    "saida",
    "despesa",
    "obciazenie",
    "wydatek",
    "vydaj",
    "odchozi",
    "terheles",
    "kimeno",
    "t",
    "ud",
    "ut",
    "utgift",
    "uttag",
    "meno",
    "gider",
    "borc",
    "支出",
    "出金",
    "支払",
    "paid out",
    "money out",
];
/// What stands there where it came in.
const IN: [&str; 50] = [
    "credit",
    "kredit",
    "cr",
    "c",
    "crdt",
    "in",
    "inflow",
    "incoming",
    "deposit",
    "income",
    "refund",
    "bij",
    "haben",
    "h",
    "gutschrift",
    "eingang",
    "einnahme",
    "einzahlung",
    "entree",
    "recette",
    "credito",
    "entrada",
    "abono",
    "ingreso",
    "entrata",
    "accredito",
    "receita",
    "uznanie",
    "przychod",
    "wplyw",
    "prijem",
    "prichozi",
    "jovairas",
    "bejovo",
    "j",
    "ind",
    "inn",
    "inntekt",
    "insattning",
    "tulo",
    "gelir",
    "alacak",
    "k",
    "収入",
    "入金",
    "received",
    "payment received",
    "paid in",
    "money in",
    "deposito",
];

/// What a row is called that says what the balance is, and is no transaction.
const BALANCE_ROWS: [&str; 44] = [
    "saldo",
    "balance",
    "opening balance",
    "closing balance",
    "balance brought forward",
    "balance carried forward",
    "brought forward",
    "carried forward",
    "b f",
    "c f",
    "ending balance",
    "beginning balance",
    "starting balance",
    "anfangssaldo",
    "endsaldo",
    "kontostand",
    "schlusssaldo",
    "saldovortrag",
    "ubertrag",
    "neuer saldo",
    "alter saldo",
    "solde",
    "solde initial",
    "solde final",
    "ancien solde",
    "nouveau solde",
    "saldo anterior",
    "saldo inicial",
    "saldo final",
    "saldo atual",
    "saldo do dia",
    "saldo iniziale",
    "saldo finale",
    "beginsaldo",
    "eindsaldo",
    "saldo poczatkowe",
    "saldo koncowe",
    "pocatecni zustatek",
    "konecny zustatek",
    "nyito egyenleg",
    "zaro egyenleg",
    "ingaende saldo",
    "utgaende saldo",
    "残高",
];
/// What the last row of a file begins with that sums the others up.
const TOTALS: [&str; 15] = [
    "total",
    "totals",
    "grand total",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "totaal",
    "totale",
    "razem",
    "suma",
    "celkem",
    "osszesen",
    "summa",
    "合計",
];

/// What a payment to a card is called there, which a minus marks where spending has none.
const CARD_PAYMENTS: [&str; 8] = [
    "thank you",
    "payment received",
    "pagamento recebido",
    "autopay",
    "automatic payment",
    "zahlung erhalten",
    "paiement recu",
    "online payment",
];
/// What the columns of a card's statement are called.
const CARD_COLUMNS: [&str; 6] =
    ["card member", "cardmember", "purchased by", "karteninhaber", "利用店名", "利用日"];

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

/// What a column may be by its name. One that names both sides says which one it is.
pub(super) fn guesses(header: &str) -> Vec<Guess> {
    let name = normalized(header);
    let mut found: Vec<Guess> =
        ROLES.iter().filter_map(|(role, names)| guess(&name, *role, *names)).collect();
    let has = |found: &[Guess], role| found.iter().any(|it| it.role == role);
    if has(&found, Role::Debit) && has(&found, Role::Credit) {
        found.retain(|it| !matches!(it.role, Role::Debit | Role::Credit | Role::Direction));
        found.push(Guess { role: Role::Direction, weight: 30, is_english: false });
    }
    let isnt = |role| move |it: &Guess| it.role != role;
    if has(&found, Role::Balance) {
        found.retain(|it| it.role == Role::Balance);
    }
    if has(&found, Role::Date) {
        found.retain(|it| matches!(it.role, Role::Date | Role::Currency));
    }
    if has(&found, Role::Debit) || has(&found, Role::Credit) {
        found.retain(isnt(Role::Amount));
    }
    if is_foreign(header) {
        found.retain(isnt(Role::Currency));
        found.iter_mut().filter(|it| it.role == Role::Amount).for_each(|it| it.weight = 1);
    }
    found
}

/// Whether a column is not about the amounts of the account itself.
pub(super) fn is_foreign(header: &str) -> bool {
    let name = normalized(header);
    FOREIGN.iter().any(|word| contains(&name, word))
}

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    In,
}

/// Which way a word says that money went.
pub(super) fn way(word: &str) -> Option<Way> {
    match word.trim() {
        "-" | "\u{2212}" => return Some(Way::Out),
        "+" => return Some(Way::In),
        _ => {}
    }
    let word = normalized(word);
    if OUT.contains(&&*word) {
        return Some(Way::Out);
    }
    IN.contains(&&*word).then_some(Way::In)
}

/// Whether a cell says that its row is no transaction, but what the balance is.
pub(super) fn is_balance(cell: &str) -> bool {
    if cell.len() > 60 {
        return false;
    }
    let words = normalized(cell);
    let begins = |phrase: &&str| {
        let rest = words.strip_prefix(*phrase);
        rest.is_some_and(|rest| rest.is_empty() || (phrase.len() > 10 && rest.starts_with(' ')))
    };
    BALANCE_ROWS.iter().any(begins)
}

/// Whether a cell says that its row sums the others up.
pub(super) fn is_total(cell: &str) -> bool {
    is_balance(cell) || (cell.len() <= 60 && TOTALS.contains(&&*normalized(cell)))
}

/// Whether a text is what a payment to a card is called.
pub(super) fn is_card_payment(text: &str) -> bool {
    let words = normalized(text);
    CARD_PAYMENTS.iter().any(|phrase| contains(&words, phrase))
}

/// Whether only the statement of a card has such a column.
pub(super) fn is_of_card(header: &str) -> bool {
    let words = normalized(header);
    CARD_COLUMNS.iter().any(|phrase| contains(&words, phrase))
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
        ] {
            let best = guesses(header).into_iter().max_by_key(|it| it.weight).map(|it| it.role);
            assert_eq!(best, Some(role), "{header}");
        }
        assert_eq!(guesses("Kind of thing"), []);
    }

    #[test]
    fn which_way_words_say() {
        for (word, expected) in [
            ("outflow", Some(Way::Out)),
            (" Af ", Some(Way::Out)),
            ("Débit", Some(Way::Out)),
            ("-", Some(Way::Out)),
            ("Bij", Some(Way::In)),
            ("CRDT", Some(Way::In)),
            ("transfer", None),
            ("", None),
        ] {
            assert_eq!(way(word), expected, "{word}");
        }
        assert!(OUT.iter().all(|word| !IN.contains(word) && normalized(word) == *word));
        assert!(IN.iter().all(|word| normalized(word) == *word));
        assert!(
            is_balance("Saldo")
                && is_balance("Beginning balance as of 02/01/2026")
                && is_balance("Closing balance")
                && !is_balance("Total")
        );
        assert!(is_total("Total:") && !is_total("TotalEnergies"));
    }
}
