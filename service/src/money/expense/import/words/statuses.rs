//! Whether a row is booked, in the words of banks.

use super::{contains, normalized};

/// What is not booked yet, and may never be.
const PENDING: &[&str] = &[
    "pending",
    "not booked",
    "unbooked",
    "authorized",
    "authorised",
    "on hold",
    "hold",
    "processing",
    "in process",
    "in progress",
    "awaiting",
    "waiting",
    "scheduled",
    "vorgemerkt",
    "nicht gebucht",
    "noch nicht gebucht",
    "ausstehend",
    "offen",
    "reserviert",
    "reservation",
    "geplant",
    "en attente",
    "en cours",
    "a venir",
    "in behandeling",
    "gereserveerd",
    "reserverat",
    "reserveret",
    "reservert",
    "vantande",
    "venter",
    "ikke bokfort",
    "odottaa",
    "pendiente",
    "retenido",
    "retenida",
    "in attesa",
    "non contabilizzato",
    "non contabilizzata",
    "da contabilizzare",
    "in elaborazione",
    "autorizzato",
    "autorizzata",
    "pendente",
    "em processamento",
    "oczekujaca",
    "oczekujace",
    "w trakcie",
    "blokada",
    "cekajici",
    "nezauctovano",
    "fuggoben",
    "未確定",
    "в обработке",
    "等待付款",
    "保留",
];

/// What was never booked, or was taken back.
const VOID: &[&str] = &[
    "declined",
    "reverted",
    "cancelled",
    "canceled",
    "rejected",
    "failed",
    "refused",
    "voided",
    "void",
    "expired",
    "denied",
    "abgelehnt",
    "storniert",
    "abgebrochen",
    "fehlgeschlagen",
    "zuruckgewiesen",
    "annule",
    "annulee",
    "refuse",
    "refusee",
    "rejete",
    "rejetee",
    "geweigerd",
    "geannuleerd",
    "mislukt",
    "slettet",
    "fejlet",
    "afvist",
    "avvist",
    "avbruten",
    "nekad",
    "makulerad",
    "hylatty",
    "peruttu",
    "rechazado",
    "rechazada",
    "cancelado",
    "cancelada",
    "denegado",
    "denegada",
    "anulado",
    "anulada",
    "rifiutato",
    "rifiutata",
    "annullato",
    "annullata",
    "stornato",
    "recusado",
    "recusada",
    "odrzucona",
    "odrzucone",
    "anulowana",
    "zamitnuto",
    "zruseno",
    "elutasitva",
    "取消",
    "отклонена",
    "交易关闭",
];

/// What is booked.
const BOOKED: &[&str] = &[
    "booked",
    "posted",
    "completed",
    "complete",
    "cleared",
    "settled",
    "executed",
    "success",
    "successful",
    "succeeded",
    "processed",
    "paid",
    "refunded",
    "partially refunded",
    "reversed",
    "gebucht",
    "verbucht",
    "abgeschlossen",
    "ausgefuhrt",
    "erledigt",
    "comptabilise",
    "comptabilisee",
    "effectue",
    "effectuee",
    "execute",
    "executee",
    "accepte",
    "acceptee",
    "termine",
    "geboekt",
    "uitgevoerd",
    "verwerkt",
    "voltooid",
    "geaccepteerd",
    "udfort",
    "gennemfort",
    "bokfort",
    "bokford",
    "bogfort",
    "utford",
    "genomford",
    "kirjattu",
    "contabilizado",
    "contabilizada",
    "realizado",
    "realizada",
    "ejecutado",
    "completado",
    "completada",
    "contabilizzato",
    "contabilizzata",
    "eseguito",
    "eseguita",
    "concluido",
    "concluida",
    "efetivado",
    "efetivada",
    "liquidado",
    "zaksiegowana",
    "zaksiegowano",
    "zaksiegowane",
    "zrealizowana",
    "rozliczona",
    "zauctovano",
    "provedeno",
    "teljesitve",
    "konyvelt",
    "確定",
    "ok",
    "исполнен",
    "исполнена",
    "支付成功",
    "交易成功",
];

/// Whether money has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::money::expense::import) enum Status {
    Booked,
    /// Not yet.
    Pending,
    /// It never did, or it is back.
    Void,
}

/// What a cell says of that. Longer texts may have the word among others: `Umsatz vorgemerkt`.
pub(in crate::money::expense::import) fn status(cell: &str) -> Option<Status> {
    if cell.len() > 60 {
        return None;
    }
    let words = normalized(cell);
    // `nicht gebucht` has the word of what is booked.
    let all = [(PENDING, Status::Pending), (VOID, Status::Void), (BOOKED, Status::Booked)];
    let find = |is_in: &dyn Fn(&[&str]) -> bool| all.iter().find(|(known, _)| is_in(known));
    let whole = find(&|known: &[&str]| known.contains(&&*words));
    let part = |known: &[&str]| {
        known.iter().any(|word| word.chars().count() > 5 && contains(&words, word))
    };
    let part = || find(&part).filter(|_| words.contains(' '));
    whole.or_else(part).map(|(_, status)| *status)
}

/// Why a row is not booked, if it is not: by its status, or by what stands there instead of its day.
pub(in crate::money::expense::import) fn unbooked(cell: &str, day: &str) -> Option<Status> {
    let has_letters = |text: &&str| text.contains(char::is_alphabetic);
    let mut said = [cell, day].into_iter().filter(has_letters).filter_map(status);
    said.find(|status| *status != Status::Booked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cells_say_of_booking() {
        for (cell, expected) in [
            ("Umsatz vorgemerkt", Some(Status::Pending)),
            ("Umsatz gebucht", Some(Status::Booked)),
            ("nicht gebucht", Some(Status::Pending)),
            ("PENDING", Some(Status::Pending)),
            ("Reserverat", Some(Status::Pending)),
            ("offen", Some(Status::Pending)),
            ("REVERTED", Some(Status::Void)),
            ("Geweigerd", Some(Status::Void)),
            ("Refusé", Some(Status::Void)),
            ("COMPLETED", Some(Status::Booked)),
            ("Udført", Some(Status::Booked)),
            ("Accepté", Some(Status::Booked)),
            ("NON CONTABILIZZATO", Some(Status::Pending)),
            ("offenbar", None),
            ("Supermarket", None),
            ("", None),
        ] {
            assert_eq!(status(cell), expected, "{cell}");
        }
        let all = [PENDING, VOID, BOOKED];
        for (at, words) in all.iter().enumerate() {
            assert!(words.iter().all(|word| normalized(word) == *word));
            let others = all.iter().enumerate().filter(|(other, _)| *other != at);
            assert!(others.flat_map(|(_, words)| *words).all(|word| !words.contains(word)));
        }
    }
}
