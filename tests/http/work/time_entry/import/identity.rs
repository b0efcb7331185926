//! By what the rows of a file are known again.

use serde_json::Value;
use tests::{App, Database, at, each_database};

use super::{entries, import};
use crate::work::time_entry::crew;

const FILE: &str = "Day,From,To,Who,Note,Tags\n\
    2026-11-16,09:00,10:00,Kim,Caf\u{e9},a\n2026-11-16,09:00,10:00,Lee,Caf\u{e9},a\n";
const TIMES: &str = "start_date=Day&start_time=From&end_date=Day&end_time=To";

/// Created, duplicates, deleted before, failed.
fn fates(report: &Value) -> [u64; 4] {
    let names = ["created", "duplicates", "deleted_before", "failed"];
    names.map(|name| report[name].as_u64().expect("a count"))
}

#[each_database]
async fn a_column_more_or_less_brings_nothing_again(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let upload = async |more: &str, file: &str| {
        let query = format!("{TIMES}&user=Who{more}");
        fates(&import(&ada, &company, &query, file).await.expect(200))
    };
    assert_eq!(upload("&create_members=true", FILE).await, [2, 0, 0, 0]);
    for more in ["", "&description=Note", "&description=Note&tags=Tags", "&tags=Tags"] {
        assert_eq!(upload(more, FILE).await, [0, 2, 0, 0], "{more}");
    }
    // Whose time it is has to be said by both.
    let nobody = import(&ada, &company, TIMES, FILE).await;
    assert_eq!(nobody.status, 422);
    let one = "Day,From,To\n2026-11-16,09:00,10:00\n";
    assert_eq!(fates(&import(&ada, &company, TIMES, one).await.expect(200)), [1, 0, 0, 0]);
    app.stop().await;
}

#[each_database]
async fn what_was_deleted_stays_away_unless_it_is_to_be_restored(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let upload = async |more: &str, file: &str| {
        let query = format!("{TIMES}&user=Who&description=Note{more}");
        fates(&import(&ada, &company, &query, file).await.expect(200))
    };
    assert_eq!(upload("&create_members=true", FILE).await, [2, 0, 0, 0]);
    let first = entries(&ada, &company).await.remove(0);
    let first = at(&format!("{company}/time-entries"), &first);
    ada.delete(&format!("{first}?version=1")).await.expect(204);
    let other_form = FILE.replace('\u{e9}', "e\u{301}");
    for file in [FILE, &other_form] {
        assert_eq!(upload("", file).await, [0, 1, 1, 0]);
        assert_eq!(upload("&dry_run=true&restore=true", file).await, [1, 1, 0, 0]);
    }
    assert_eq!(upload("&restore=true", &other_form).await, [1, 1, 0, 0]);
    assert_eq!(upload("", FILE).await, [0, 2, 0, 0]);
    assert_eq!(entries(&ada, &company).await.len(), 2);
    app.stop().await;
}
