//! What stands in the rows of a bank's file: which way money went, balances, totals, payments to cards.

use super::{contains, normalized};

/// What stands in the column of the direction where money went out.
const OUT: &[&str] = &[
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
    "支払い",
    "расход",
    "списание",
    "дебет",
    "χρεωση",
    "paid out",
    "money out",
];
/// What stands there where it came in.
const IN: &[&str] = &[
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
    "收入",
    "приход",
    "зачисление",
    "кредит",
    "πιστωση",
    "入金",
    "received",
    "payment received",
    "paid in",
    "money in",
    "deposito",
];

/// What stands there where it only changed its place within the account.
const NEUTRAL: &[&str] = &["neutral", "memo", "不计收支"];

/// What a row is called that says what the balance is, and is no transaction.
const BALANCE_ROWS: &[&str] = &[
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
    "s a l d o",
    "anfangsbestand",
    "endbestand",
    "letzter kontostand",
    "alter kontostand",
    "neuer kontostand",
    "solde precedent",
    "solde en debut de periode",
    "solde en fin de periode",
    "saldo precedente",
    "primosaldo",
    "ultimosaldo",
];
/// What the last row of a file begins with that sums the others up.
const TOTALS: &[&str] = &[
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

/// What money is called that comes in, and that no purchase is called.
const INCOMES: &[&str] = &[
    "salary",
    "payroll",
    "wages",
    "pension",
    "dividend",
    "interest paid",
    "interest received",
    "client payment",
    "refund",
    "cashback",
    "tax refund",
    "child benefit",
    "gehalt",
    "lohn",
    "lohnzahlung",
    "rente",
    "kindergeld",
    "erstattung",
    "ruckerstattung",
    "zinsen",
    "salaire",
    "remboursement",
    "loon",
    "salaris",
    "terugbetaling",
    "nomina",
    "salario",
    "stipendio",
    "rimborso",
    "reembolso",
    "lon",
    "wynagrodzenie",
    "mzda",
    "palkka",
    "fizetes",
    "給料",
    "給与",
];
/// What a payment to a card is called there, which a minus marks where spending has none.
const CARD_PAYMENTS: &[&str] = &[
    "thank you",
    "payment received",
    "pagamento recebido",
    "autopay",
    "automatic payment",
    "zahlung erhalten",
    "paiement recu",
    "online payment",
    "directpay",
    "payments and credits",
];
/// What the columns of a card's statement are called.
const CARD_COLUMNS: &[&str] =
    &["card member", "cardmember", "purchased by", "karteninhaber", "利用店名", "利用日"];

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::money::expense::import) enum Way {
    Out,
    In,
}

/// Which way a word says that money went.
pub(in crate::money::expense::import) fn way(word: &str) -> Option<Way> {
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

/// Whether a word says that money went neither out nor in.
pub(in crate::money::expense::import) fn is_neutral(word: &str) -> bool {
    word.trim() == "/" || NEUTRAL.contains(&&*normalized(word))
}

/// Whether a cell says that its row is no transaction, but what the balance is.
pub(in crate::money::expense::import) fn is_balance(cell: &str) -> bool {
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
pub(in crate::money::expense::import) fn is_total(cell: &str) -> bool {
    is_balance(cell) || (cell.len() <= 60 && TOTALS.contains(&&*normalized(cell)))
}

/// Whether the first word of a cell is that of balances and sums: `Solde au 31/10/2026`. Of a row with a day, it
/// may be anything.
pub(in crate::money::expense::import) fn begins_as_total(cell: &str) -> bool {
    let words = normalized(cell);
    let first = words.split(' ').next().unwrap_or_default();
    BALANCE_ROWS.contains(&first) || TOTALS.contains(&first)
}

/// Whether a text is what money is called that came in.
pub(in crate::money::expense::import) fn is_income(text: &str) -> bool {
    let words = normalized(text);
    INCOMES.iter().any(|phrase| contains(&words, phrase))
}

/// Whether a text is what a payment to a card is called.
pub(in crate::money::expense::import) fn is_card_payment(text: &str) -> bool {
    let words = normalized(text);
    CARD_PAYMENTS.iter().any(|phrase| contains(&words, phrase))
}

/// Whether only the statement of a card has such a column.
pub(in crate::money::expense::import) fn is_of_card(header: &str) -> bool {
    let words = normalized(header);
    CARD_COLUMNS.iter().any(|phrase| contains(&words, phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(begins_as_total("Solde au 31/10/2026") && !begins_as_total("TotalEnergies"));
        assert!(is_neutral("NEUTRAL") && !is_neutral("OUT"));
        assert!(
            is_income("Salary ACME 10/26") && is_income("Gehalt") && !is_income("Salaryman Bar")
        );
    }
}
