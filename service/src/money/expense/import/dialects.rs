//! The dialects of banks and apps, each with a small file of `dialects`: what is found in it without any setting.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Import, ImportPreview, ImportQuery, detect, preview::show};

/// A file, the currency of the organization, how many rows are money that went out and that came in, the sum of what
/// went out, and why how many other rows are ignored.
type Dialect = (&'static str, &'static str, (u64, u64, i64), &'static [(&'static str, u64)]);

const DIALECTS: &[Dialect] = &[
    ("sparkasse", "EUR", (2, 1, 6234), &[("pending", 1)]),
    ("dkb", "EUR", (1, 1, 1234), &[("pending", 1)]),
    ("ing-de", "EUR", (2, 1, 1734), &[]),
    ("comdirect", "EUR", (1, 1, 1234), &[("left_out", 1), ("pending", 1)]),
    ("n26", "EUR", (2, 1, 1934), &[]),
    ("commerzbank", "EUR", (2, 1, 2134), &[]),
    ("barclays", "GBP", (2, 1, 3233), &[]),
    ("monzo", "GBP", (2, 1, 1584), &[]),
    ("starling", "GBP", (2, 1, 1734), &[("balance", 1)]),
    ("lloyds", "GBP", (2, 1, 3233), &[]),
    ("hsbc", "GBP", (2, 1, 124_690), &[]),
    ("natwest", "GBP", (2, 1, 3233), &[]),
    ("nationwide", "GBP", (1, 1, 1234), &[]),
    ("chase", "USD", (2, 1, 6234), &[]),
    ("chase-card", "USD", (2, 2, 1684), &[]),
    ("amex", "USD", (2, 1, 1684), &[]),
    ("capital-one", "USD", (2, 1, 1684), &[]),
    ("capital-one-360", "USD", (2, 1, 1684), &[]),
    ("bank-of-america", "USD", (2, 1, 1684), &[("balance", 1)]),
    ("wells-fargo", "USD", (2, 1, 1684), &[]),
    ("wells-fargo-early", "USD", (2, 1, 1684), &[]),
    ("discover", "USD", (2, 1, 1684), &[]),
    ("hdfc", "INR", (2, 1, 15050), &[]),
    ("icici", "INR", (2, 1, 10_010_050), &[]),
    ("sbi", "INR", (2, 1, 15000), &[("left_out", 1)]),
    ("swedbank", "SEK", (2, 1, 11134), &[]),
    ("seb", "SEK", (1, 1, 1234), &[]),
    ("nordea-se", "SEK", (1, 1, 1234), &[("pending", 1)]),
    ("ica-banken", "SEK", (1, 1, 1234), &[]),
    ("dnb", "NOK", (1, 1, 12350), &[]),
    ("sparebank1", "NOK", (1, 1, 12350), &[]),
    ("nordea-no", "NOK", (1, 1, 12350), &[("pending", 1)]),
    ("danske-bank", "DKK", (1, 1, 12350), &[("pending", 1)]),
    ("nordea-dk", "DKK", (1, 1, 12350), &[]),
    ("ing-nl", "EUR", (1, 1, 1234), &[]),
    ("ing-nl-semicolon", "EUR", (1, 1, 1234), &[]),
    ("rabobank", "EUR", (1, 1, 1234), &[]),
    ("abn-amro", "EUR", (2, 1, 1734), &[]),
    ("abn-amro-one", "EUR", (1, 0, 1234), &[]),
    ("ubs", "CHF", (1, 1, 1234), &[]),
    ("postfinance", "CHF", (1, 1, 1234), &[("left_out", 2)]),
    ("postfinance-old", "CHF", (1, 1, 1234), &[]),
    ("raiffeisen-ch", "CHF", (1, 1, 1234), &[]),
    ("bnp-no-header", "EUR", (2, 1, 1734), &[]),
    ("bnp", "EUR", (1, 1, 1234), &[]),
    ("credit-agricole", "EUR", (1, 1, 1234), &[]),
    ("boursorama", "EUR", (1, 1, 1234), &[]),
    ("societe-generale", "EUR", (1, 1, 1234), &[]),
    ("banque-postale", "EUR", (1, 1, 1234), &[]),
    ("credit-mutuel", "EUR", (1, 1, 1234), &[]),
    ("caisse-epargne", "EUR", (1, 1, 1234), &[("left_out", 1)]),
    ("santander-es", "EUR", (1, 1, 1234), &[]),
    ("caixabank", "EUR", (1, 1, 1234), &[]),
    ("ing-es", "EUR", (1, 1, 1234), &[]),
    ("fineco", "EUR", (1, 1, 1234), &[("pending", 1)]),
    ("poste-italiane", "EUR", (1, 1, 1234), &[]),
    ("unicredit", "EUR", (1, 1, 1234), &[]),
    ("nubank-card", "BRL", (2, 1, 1734), &[]),
    ("nubank-account", "BRL", (1, 1, 1234), &[]),
    ("itau", "BRL", (1, 1, 1234), &[]),
    ("bradesco", "BRL", (1, 1, 1234), &[("balance", 1), ("left_out", 1)]),
    ("banco-do-brasil", "BRL", (1, 1, 1234), &[("balance", 1), ("left_out", 1)]),
    ("mufg", "JPY", (1, 1, 1200), &[]),
    ("smbc", "JPY", (1, 1, 1200), &[]),
    ("rakuten", "JPY", (1, 1, 1200), &[]),
    ("rakuten-card", "JPY", (2, 0, 1700), &[]),
    ("mbank", "PLN", (1, 1, 1234), &[("left_out", 1)]),
    ("pko", "PLN", (1, 1, 1234), &[]),
    ("ing-pl", "PLN", (1, 1, 1234), &[]),
    ("revolut", "EUR", (2, 1, 2034), &[("pending", 1), ("void", 2)]),
    ("wise", "EUR", (1, 1, 1234), &[]),
    ("wise-transfers", "EUR", (1, 1, 1234), &[("not_spending", 1), ("void", 1)]),
    ("paypal", "EUR", (1, 1, 1234), &[("pending", 1)]),
    ("paypal-de", "EUR", (1, 1, 1234), &[]),
    ("deutsche-bank", "EUR", (1, 1, 1234), &[("left_out", 1)]),
    ("erste", "EUR", (1, 1, 1234), &[]),
    ("raiffeisen-at", "EUR", (1, 1, 1234), &[]),
    ("bawag", "EUR", (1, 1, 1234), &[]),
    ("volksbank", "EUR", (1, 1, 1234), &[]),
    ("hypovereinsbank", "EUR", (1, 1, 1234), &[]),
    ("zkb", "CHF", (1, 1, 1234), &[]),
    ("swisscard", "CHF", (1, 1, 1234), &[("pending", 1)]),
    ("kbc", "EUR", (1, 1, 1234), &[]),
    ("belfius", "EUR", (1, 1, 1234), &[]),
    ("bnp-fortis", "EUR", (1, 1, 1234), &[("void", 1)]),
    ("citi", "USD", (1, 1, 1234), &[]),
    ("us-bank", "USD", (1, 1, 1234), &[]),
    ("ally", "USD", (1, 1, 1234), &[]),
    ("schwab", "USD", (1, 1, 1234), &[("pending", 1)]),
    ("usaa", "USD", (1, 1, 1234), &[("pending", 1)]),
    ("venmo", "USD", (1, 1, 1234), &[("left_out", 1), ("no_transaction", 1)]),
    ("rbc", "CAD", (1, 1, 1234), &[]),
    ("td", "CAD", (2, 1, 1734), &[]),
    ("commbank", "AUD", (2, 1, 1734), &[]),
    ("otp", "HUF", (2, 1, 1_284_500), &[]),
    ("millennium-bcp", "EUR", (1, 1, 1234), &[]),
    ("cgd", "EUR", (1, 1, 1234), &[("left_out", 1)]),
    ("balance-goes-down", "EUR", (3, 0, 6000), &[]),
    ("months-es", "EUR", (2, 0, 2000), &[]),
    ("months-fr", "EUR", (2, 1, 2000), &[]),
    ("months-de", "EUR", (2, 1, 2000), &[]),
    ("ynab", "EUR", (1, 1, 1234), &[]),
    ("apple-card", "USD", (1, 1, 1234), &[]),
    ("op", "EUR", (1, 1, 1234), &[]),
    ("nordea-fi", "EUR", (1, 1, 1234), &[]),
    ("nab", "AUD", (1, 1, 1234), &[]),
    ("tinkoff", "RUB", (1, 1, 1234), &[("void", 1)]),
    ("wechat", "CNY", (1, 1, 1234), &[("not_spending", 1)]),
    ("bca", "IDR", (1, 1, 100_000_000), &[]),
    ("alpha-bank", "EUR", (1, 1, 1234), &[]),
    ("isbank", "TRY", (1, 1, 1234), &[]),
    ("croatia", "EUR", (1, 1, 1234), &[]),
    ("axis", "INR", (1, 1, 1234), &[]),
    ("kotak", "INR", (1, 1, 1234), &[]),
    ("kotak-brackets", "INR", (1, 1, 1234), &[]),
    ("fnb", "ZAR", (1, 1, 1234), &[]),
    ("capitec", "ZAR", (1, 1, 1234), &[]),
    ("dbs", "SGD", (1, 1, 1234), &[]),
    ("bunq", "EUR", (1, 1, 1234), &[]),
    ("asn", "EUR", (1, 1, 1234), &[]),
    ("knab", "EUR", (1, 1, 1234), &[]),
    ("seb-ee", "EUR", (1, 1, 1234), &[]),
    ("tangerine", "CAD", (1, 1, 1234), &[]),
    ("mint", "USD", (1, 1, 1234), &[]),
    ("bmo", "CAD", (1, 1, 1234), &[]),
    ("sofi", "USD", (1, 1, 1234), &[]),
    ("intesa", "EUR", (1, 1, 1234), &[("pending", 1)]),
];

fn query(settings: Value) -> ImportQuery {
    serde_json::from_value(settings).expect("a query")
}

fn preview(name: &str, currency: &str) -> ImportPreview {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/money/expense/import/dialects");
    let path = folder.join(format!("{name}.csv"));
    let query = query(json!({}));
    let detected = detect::detect(&path, &query, currency).expect("a file");
    show(&Import { path, query, currency: currency.to_owned(), left_out: 0 }, detected)
        .expect("a preview")
}

#[test]
fn files_of_banks_are_read_without_settings() {
    for (name, currency, (outflows, inflows, spending_minor), ignored) in DIALECTS {
        let preview = preview(name, currency);
        let asked: Vec<_> = preview.uncertain.iter().filter(|it| it.required).collect();
        assert!(asked.is_empty(), "{name}: {asked:?}");
        let found = (preview.outflows, preview.inflows, preview.failed);
        assert_eq!(found, (*outflows, *inflows, 0), "{name}: {preview:?}");
        let sum: i64 = preview.sums.iter().map(|sum| sum.spending_minor).sum();
        assert_eq!(sum, *spending_minor, "{name}: {preview:?}");
        let reasons = serde_json::to_value(&preview.reasons).expect("reasons");
        let reasons = reasons.as_array().expect("a list").iter();
        let reasons = reasons.filter(|reason| reason["code"] != "income");
        let reasons: Vec<_> = reasons.map(|it| (it["code"].clone(), it["count"].clone())).collect();
        let expected: Vec<_> =
            ignored.iter().map(|(code, count)| (json!(code), json!(count))).collect();
        assert_eq!(reasons, expected, "{name}");
    }
}

/// What most rows say of the direction, the others do not say otherwise.
#[test]
fn a_row_without_a_known_word_is_no_spending() {
    let preview = preview("fee", "USD");
    assert_eq!(preview.settings["direction"], "Type");
    assert_eq!((preview.outflows, preview.inflows, preview.failed), (1, 1, 1), "{preview:?}");
    assert_eq!(preview.rows[2].reason, Some("direction"));
}

/// Who takes part: not the account's own holder, and not the number of an account.
#[test]
fn the_merchant_is_the_other_one() {
    for (name, currency, merchant) in [
        ("sparkasse", "EUR", "Stadtwerke"),
        ("erste", "EUR", "SPAR"),
        ("citi", "USD", "SAFEWAY"),
        ("ubs", "CHF", "Firma AG"),
        ("postfinance", "CHF", "FIRMA AG LOHN"),
        ("nordea-no", "NOK", "Rema 1000"),
        ("wise-transfers", "EUR", "Rewe"),
        ("bnp-fortis", "EUR", "COLRUYT"),
        ("boursorama", "EUR", "CARTE 30/10/25 CARREFOUR"),
        ("bunq", "EUR", "Albert Heijn"),
    ] {
        let rows = preview(name, currency).rows;
        assert_eq!(rows[0].merchant.as_deref(), Some(merchant), "{name}");
    }
}
