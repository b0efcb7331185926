//! Time that other trackers have exported: what becomes of the rows of a file.

mod identity;
mod lock;
mod property;
mod rows;

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, at, each_database};

use crate::work::time_entry::crew;

/// As Toggl Track writes a detailed report: with a byte order mark, quoting what needs it.
const TOGGL: &str = "\u{feff}User,Email,Client,Project,Task,Description,Billable,Start date,\
    Start time,End date,End time,Duration,Tags,Amount (EUR)\r\n\
    Bob,BOB@example.org,\"Acme, Inc.\",Website,,\"Call \\ \"\"now\"\" 👷\r\nand notes\",Yes,2026-11-16,\
    09:00:00,2026-11-16,10:30:15,01:30:15,\"web, Süd , WEB\",47.50\r\n\
    Bob,bob@example.org,,,,,No,2026-11-16,23:30:00,2026-11-17,00:30:00,01:00:00,,\r\n\
    Bob,bob@example.org,\"Acme, Inc.\",website,Design,  late ,No,2026-10-25,02:30:00,2026-10-25,\
    03:30:00,01:00:00,,\r\n";

/// As Clockify writes one in the United States: everything quoted, clocks of twelve hours.
const CLOCKIFY: &str = "\"Project\",\"Client\",\"Description\",\"Task\",\"User\",\"Group\",\"Email\",\
    \"Tags\",\"Billable\",\"Start Date\",\"Start Time\",\"End Date\",\"End Time\",\"Duration (h)\",\
    \"Duration (decimal)\",\"Billable Rate (USD)\",\"Billable Amount (USD)\",\"Date of creation\"\n\
    \"Roof\",\"\",\"\",\"Tiles\",\"Dana Dev\",\"\",\"dana@example.net\",\"\",\"No\",\"04/30/2026\",\
    \"09:05:00 AM\",\"04/30/2026\",\"12:05:30 PM\",\"03:00:30\",\"3.01\",\"0.00\",\"0.00\",\"04/30/2026\"\n\
    \"Roof\",\"\",\"x\",\"tiles\",\"Dana Dev\",\"\",\"dana@example.net\",\"\",\"Yes\",\"05/01/2026\",\
    \"12:00:00 AM\",\"05/01/2026\",\"12:30:00 AM\",\"00:30:00\",\"0.50\",\"0.00\",\"0.00\",\"05/01/2026\"\n";

/// As Harvest writes a detailed time report: days and hours, rounded to hundredths.
const HARVEST: &str = "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,Approved?,\
    First Name,Last Name,Roles,Employee?,Billable Rate,Billable Amount,Cost Rate,Cost Amount,Currency,\
    External Reference URL\n\
    2026-03-02,Acme,Site,W-1,Development,\"kick-off, part 1\",1.5,Yes,No,No,Dana,Dev,,Yes,,,,,EUR,\n\
    2026-03-03,Acme,Site,W-1,Development,,0.33,No,No,No,Dana,Dev,,Yes,,,,,EUR,\n\
    2026-03-03,Acme,Other name,w-1,Design,,0.67,No,No,No,Dana,Dev,,Yes,,,,,EUR,\n";

const CREATE: &str = "create_projects=true&create_tasks=true&create_members=true";

async fn import(client: &Client, company: &str, query: &str, file: &str) -> Answer {
    client.upload(&format!("{company}/time-entries/import?{query}"), file).await
}

/// Created, duplicates, failed, and what was made: projects, tasks, members.
fn outcome(report: &Value) -> [u64; 6] {
    let names =
        ["created", "duplicates", "failed", "created_projects", "created_tasks", "created_members"];
    names.map(|name| report[name].as_u64().expect("a report counts"))
}

fn errors(report: &Value) -> Vec<(u64, Option<&str>, &str)> {
    let errors = report["errors"].as_array().expect("errors");
    errors
        .iter()
        .map(|error| {
            assert!(error["message"].is_string());
            let line = error["line"].as_u64().expect("a line");
            (line, error["column"].as_str(), error["code"].as_str().expect("a code"))
        })
        .collect()
}

/// The entries by their beginning.
async fn entries(client: &Client, company: &str) -> Vec<Value> {
    client.all(&format!("{company}/time-entries"), "?sort=started_at").await
}

async fn names(client: &Client, path: &str, field: &str) -> Vec<String> {
    let rows = client.all(path, "").await;
    let mut names: Vec<_> =
        rows.iter().map(|row| row[field].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

fn shows(row: &Value, expected: &Value) {
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&row[name], value, "{name} of {row}");
    }
}

#[each_database]
async fn what_toggl_exports(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let bob = ada.invite_as(&company, "member", "bob@example.org").await;
    let dry = format!("{CREATE}&dry_run=true");
    for (query, expected) in [
        (&*dry, [3, 0, 0, 1, 1, 0]),
        (CREATE, [3, 0, 0, 1, 1, 0]),
        (CREATE, [0, 3, 0, 0, 0, 0]),
        ("", [0, 3, 0, 0, 0, 0]),
    ] {
        let report = import(&ada, &company, query, TOGGL).await.expect(200);
        assert_eq!(outcome(&report), expected, "{query}");
    }
    let projects = ada.all(&format!("{company}/projects"), "").await;
    assert_eq!(projects.len(), 1);
    shows(&projects[0], &json!({ "name": "Website", "client": "Acme, Inc.", "status": "active" }));
    let tasks = ada.all(&format!("{company}/tasks"), "").await;
    let project_id = &projects[0]["id"];
    shows(&tasks[0], &json!({ "title": "Design", "project_id": project_id }));
    let user = bob.read("/v1/users/me").await["id"].clone();
    let members = ada.all(&format!("{company}/members"), "").await;
    let me = members.iter().find(|row| row["user_id"] == user).expect("a member");
    let rows = entries(&ada, &company).await;
    for (row, expected) in rows.iter().zip([
        json!({ "started_at": "2026-10-25T01:30:00Z", "ended_at": "2026-10-25T02:30:00Z",
            "project_id": project_id, "task_id": tasks[0]["id"], "note": "  late ",
            "billable": false, "seconds": 3600 }),
        json!({ "started_at": "2026-11-16T08:00:00Z", "ended_at": "2026-11-16T09:30:15Z",
            "project_id": project_id, "note": "Call \\ \"now\" 👷\r\nand notes",
            "billable": true, "tags": ["web", "Süd"], "seconds": 5415, "version": 1 }),
        json!({ "started_at": "2026-11-16T22:30:00Z", "ended_at": "2026-11-16T23:30:00Z",
            "project_id": null, "task_id": null, "note": null, "tags": [], "seconds": 3600 }),
    ]) {
        shows(row, &expected);
        assert_eq!(row["member_id"], me["id"]);
    }
    assert_eq!(rows.len(), 3);
    let cards = ada.all(&format!("{company}/timecards"), "").await;
    assert_eq!(cards.len(), 2, "two weeks have time");
    app.stop().await;
}

#[each_database]
async fn what_clockify_exports(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let query = format!("{CREATE}&date_format=%25m/%25d/%25Y&time_zone=America/New_York");
    let unread = import(&ada, &company, CREATE, CLOCKIFY).await;
    let problem = unread.expect_problem(422, "import_failed");
    let column = Some("Start Date");
    assert_eq!(errors(&problem), [(2, column, "date"), (3, column, "date")]);
    let report = import(&ada, &company, &query, CLOCKIFY).await.expect(200);
    assert_eq!(outcome(&report), [2, 0, 0, 1, 1, 1]);
    assert!(names(&ada, &format!("{company}/members"), "name").await.contains(&"Dana Dev".into()));
    let rows = entries(&ada, &company).await;
    let first = json!({ "started_at": "2026-04-30T13:05:00Z", "ended_at": "2026-04-30T16:05:30Z",
        "billable": false, "note": null });
    let second = json!({ "started_at": "2026-05-01T04:00:00Z",
        "ended_at": "2026-05-01T04:30:00Z", "billable": true, "note": "x",
        "task_id": rows[0]["task_id"] });
    shows(&rows[0], &first);
    shows(&rows[1], &second);
    app.stop().await;
}

#[each_database]
async fn what_harvest_exports(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let exact = import(&ada, &company, CREATE, HARVEST).await;
    let problem = exact.expect_problem(422, "import_failed");
    let column = Some("Hours");
    let precise = "duration_precision";
    assert_eq!(errors(&problem), [(3, column, precise), (4, column, precise)]);
    let query = format!("{CREATE}&round_to_minutes=true");
    let report = import(&ada, &company, &query, HARVEST).await.expect(200);
    assert_eq!(outcome(&report), [3, 0, 0, 1, 2, 1], "a job number goes before a name");
    let projects = ada.all(&format!("{company}/projects"), "").await;
    shows(&projects[0], &json!({ "name": "Site", "job_number": "W-1", "client": "Acme" }));
    let tasks = names(&ada, &format!("{company}/tasks"), "title").await;
    assert_eq!(tasks, ["Design", "Development"]);
    let rows = entries(&ada, &company).await;
    let first =
        json!({ "day": "2026-03-02", "minutes": 90, "note": "kick-off, part 1", "billable": true });
    shows(&rows[0], &first);
    let mut minutes: Vec<_> = rows[1..].iter().map(|row| row["minutes"].as_i64()).collect();
    minutes.sort();
    assert_eq!(minutes, [Some(20), Some(40)]);
    app.stop().await;
}

/// Bad rows, each with its line, column and code.
const BAD: &str = "Start date,Start time,End date,End time,Duration,Billable,Tags\n\
    2026-11-16,09:00,2026-11-16,10:00,,,\n\
    2026-11-31,09:00,2026-11-30,10:00,,,\n\
    2026-11-17,25:00,2026-11-17,10:00,,,\n\
    2026-11-17,11:00,2026-11-17,10:00,,,\n\
    2026-11-17,09:00,2026-11-17,10:00,02:00:00,,\n\
    2026-11-17,09:00,,,0.333,,\n\
    2026-11-17,09:00,,,,,\n\
    2026-11-17,,,10:00,,,\n\
    2026-11-17,,,,24.5,,\n\
    2026-11-17,,,,nine,,\n\
    2026-03-29,02:30,2026-03-29,04:00,,,\n\
    2026-11-17,09:00,2026-11-17,10:00,,maybe,\n\
    2026-11-17,09:00,2027-11-17,10:00,,,\n\
    2026-11-17,09:00\n\
    2026-11-16,09:30,2026-11-16,10:30,,,\n\
    2026-11-16,10:00,,,1:15,yes,\"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t\"\n\
    2026-11-17,10:00,,,1:15,yes,\"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u\"\n";

fn expected_errors() -> Vec<(u64, Option<&'static str>, &'static str)> {
    vec![
        (3, Some("Start date"), "date"),
        (4, Some("Start time"), "time"),
        (5, Some("End time"), "order"),
        (6, Some("Duration"), "duration_differs"),
        (7, Some("Duration"), "duration_precision"),
        (8, Some("End time"), "required"),
        (9, Some("Start time"), "required"),
        (10, Some("Duration"), "duration_range"),
        (11, Some("Duration"), "duration"),
        (12, Some("Start time"), "time_gap"),
        (13, Some("Billable"), "billable"),
        (14, None, "invalid"),
        (15, None, "columns"),
        (16, None, "overlap"),
        (18, Some("Tags"), "tags"),
    ]
}

#[each_database]
async fn one_bad_row_aborts_the_import_unless_bad_rows_are_skipped(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    for more in ["", "on_error=abort&dry_run=true"] {
        let problem = import(&ada, &company, more, BAD).await.expect_problem(422, "import_failed");
        assert_eq!(outcome(&problem)[..2], [0, 0], "{more}");
    }
    assert_eq!(entries(&ada, &company).await, Vec::<Value>::new());
    for (more, created) in [("dry_run=true&", 2), ("", 2), ("", 0)] {
        let query = format!("{more}on_error=skip");
        let report = import(&ada, &company, &query, BAD).await.expect(200);
        assert_eq!(outcome(&report)[..3], [created, 2 - created, 15], "{more}");
        assert_eq!(errors(&report), expected_errors());
    }
    assert_eq!(entries(&ada, &company).await.len(), 2);
    app.stop().await;
}

#[each_database]
async fn names_are_found_as_they_are_meant_or_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let (projects, members) = (format!("{company}/projects"), format!("{company}/members"));
    let new = |name: &str, client: Value| json!({ "name": name, "client": client });
    let acme = ada.make(&projects, new("Roof", json!("Acme"))).await;
    ada.make(&projects, new("Roof", json!("Beta"))).await;
    let old = ada.make(&projects, new("Old", Value::Null)).await;
    for (version, status) in [(1, "completed"), (2, "archived")] {
        let change = json!({ "version": version, "status": status });
        ada.patch(&at(&projects, &old), change).await.expect(200);
    }
    let number = json!({ "name": "Numbered", "job_number": "J-7" });
    let numbered = ada.make(&projects, number).await;
    for _ in 0..2 {
        ada.make(&members, json!({ "name": "Kim" })).await;
    }
    let lee = ada.make(&members, json!({ "name": "Lee" })).await;
    let row = |hour: u32, who: &str, client: &str, project: &str, task: &str| {
        format!("2026-11-16,{hour:02}:00,1:00,{who},{client},{project},{task}\n")
    };
    let file = [
        "Start date,Start time,Duration,User,Client,Project,Task\n".to_owned(),
        row(1, "LEE", "acme", "ROOF", ""),
        row(2, "Lee", "", "j-7", ""),
        row(3, "Kim", "", "", ""),
        row(4, "Nobody", "", "", ""),
        row(5, "Lee", "", "Roof", ""),
        row(6, "Lee", "Gamma", "Roof", ""),
        row(7, "Lee", "", "Old", ""),
        row(8, "Lee", "Acme", "Roof", "Tiles"),
        row(9, "Lee", "", "", "Tiles"),
    ]
    .concat();
    let problem = import(&ada, &company, "", &file).await.expect_problem(422, "import_failed");
    let expected = [
        (4, "ambiguous_member"),
        (5, "unknown_member"),
        (6, "ambiguous_project"),
        (7, "unknown_project"),
        (8, "project_archived"),
        (9, "unknown_task"),
        (10, "unknown_task"),
    ];
    assert_eq!(errors(&problem), expected.map(|(line, code)| (line, None, code)));
    let query = "on_error=skip&create_projects=true&create_tasks=true&create_members=true";
    let report = import(&ada, &company, query, &file).await.expect(200);
    assert_eq!(outcome(&report), [6, 0, 3, 1, 2, 1]);
    let rows = entries(&ada, &company).await;
    let of_lee: Vec<_> = rows.iter().filter(|row| row["member_id"] == lee["id"]).collect();
    assert_eq!(of_lee.len(), 5);
    assert_eq!(of_lee[0]["project_id"], acme["id"]);
    assert_eq!(of_lee[1]["project_id"], numbered["id"]);
    assert_eq!(of_lee[3]["project_id"], acme["id"]);
    assert_eq!(of_lee[4]["project_id"], Value::Null);
    assert_eq!(names(&ada, &projects, "name").await, ["Numbered", "Old", "Roof", "Roof", "Roof"]);
    app.stop().await;
}

/// Two people of one name and different addresses are not taken for one.
#[each_database]
async fn time_is_not_given_to_somebody_of_the_same_name(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let file = "User,Email,Start date,Start time,Duration\n\
        Kim,kim@one.example,2026-11-16,08:00,1:00\n\
        Kim,KIM@one.example,2026-11-16,09:00,1:00\n\
        Kim,kim@two.example,2026-11-16,10:00,1:00\n";
    let query = "create_members=true&on_error=skip";
    let report = import(&ada, &company, query, file).await.expect(200);
    assert_eq!(outcome(&report), [2, 0, 1, 0, 0, 1]);
    assert_eq!(errors(&report), [(4, None, "ambiguous_member")]);
    app.stop().await;
}

#[each_database]
async fn other_files_are_read_by_the_columns_that_the_query_names(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let kim = ada.make(&format!("{company}/members"), json!({ "name": "Kim" })).await;
    let query = format!(
        "start_date=Tag&date_format=%25d.%25m.%25Y&start_time=von&end_time=bis&duration=Std&\
         decimal_separator=,&delimiter=;&description=Was&tags=&member_id={}",
        kim["id"].as_str().expect("an id"),
    );
    let file = "Tag;von;bis;Std;Was;Tags\n16.11.2026;22:00;1:30;3,5;Nacht;x\n17.11.2026;;;7,25;;\n";
    let report = import(&ada, &company, &query, file).await.expect(200);
    assert_eq!(outcome(&report), [2, 0, 0, 0, 0, 0]);
    let rows = entries(&ada, &company).await;
    let night = json!({ "started_at": "2026-11-16T21:00:00Z", "ended_at": "2026-11-17T00:30:00Z",
        "note": "Nacht", "tags": [], "member_id": kim["id"] });
    shows(&rows[0], &night);
    shows(&rows[1], &json!({ "day": "2026-11-17", "minutes": 435 }));
    app.stop().await;
}

/// The same row, however the file around it is written.
#[each_database]
async fn encodings_delimiters_and_lines_before_the_header_are_found(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let path = format!("{company}/time-entries/import");
    let text = "Start date\tStart time\tDuration\tDescription\n2026-11-16\t09:00\t1:00\tBär\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin =
        b"Report\n\nStart date;Start time;Duration;Description\n2026-11-16;09:00;1:00;B\xe4r;;\n";
    let said = text.replace('\t', "|");
    let last = "2026-11-16,09:00,1:00,Bär\nTotal,,1:00,\n";
    let query = "?header=false&start_date=1&start_time=2&duration=3&description=4&skip_last=1";
    for (query, file, created) in [
        ("", wide, 1),
        ("", latin.to_vec(), 0),
        ("", format!("sep=|\n{said}").into_bytes(), 0),
        (query, last.as_bytes().to_vec(), 0),
    ] {
        let report = ada.upload(&format!("{path}{query}"), file).await.expect(200);
        assert_eq!(outcome(&report)[..3], [created, 1 - created, 0], "{report}");
    }
    assert_eq!(entries(&ada, &company).await[0]["note"], "Bär");
    app.stop().await;
}

#[each_database]
async fn a_query_that_does_not_fit_is_refused_with_a_pointer(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let unknown = "member_id=0199aaaa-0000-7000-8000-000000000000";
    for (query, pointers) in [
        ("task=Nope&project=No", &["?project", "?task"][..]),
        ("start_date=Nope", &["?start_date"]),
        ("start_date=", &["?start_date"]),
        ("time_zone=Mars/Olympus", &["?time_zone"]),
        ("date_format=%25Q", &["?date_format"]),
        ("decimal_separator=x", &["?decimal_separator"]),
        ("delimiter=x", &["?delimiter"]),
        ("encoding=klingon", &["?encoding"]),
        ("on_error=ignore", &["?on_error"]),
        ("create_projects=maybe", &["?create_projects"]),
        ("nonsense=1", &["?nonsense"]),
        (
            &format!("user=&email=&{unknown}&create_projects=true&create_tasks=true"),
            &["?member_id"],
        ),
    ] {
        let refused = import(&ada, &company, query, TOGGL).await;
        assert_eq!(refused.expect_violations(), pointers, "{query}");
    }
    let other = import(&ada, &company, "", "a,b\n1,2\n").await;
    assert_eq!(other.expect_violations(), ["?start_date", "?duration"]);
    let twice = "Start date,start DATE,Start time,Duration\n";
    assert_eq!(import(&ada, &company, "", twice).await.expect_violations(), ["?start_date"]);
    let latin = b"Start date,Start time,Duration,Description\n2026-11-16,09:00,1:00,B\xe4r\n";
    let path = format!("{company}/time-entries/import?encoding=utf-8");
    let problem = ada.upload(&path, latin.to_vec()).await.expect_problem(422, "import_failed");
    assert_eq!(errors(&problem), [(2, Some("Description"), "encoding")]);
    let refused = import(&bob, &company, "", TOGGL).await;
    refused.expect_problem(403, "role_insufficient");
    let manager = ada.invite(&company, "manager").await;
    let refused = import(&manager, &company, "create_members=true", TOGGL).await;
    refused.expect_problem(403, "role_insufficient");
    assert_eq!(entries(&ada, &company).await, Vec::<Value>::new());
    app.stop().await;
}
