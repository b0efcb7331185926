//! Finding expenses: filters, text, order.

use serde_json::{Value, json};
use tests::{App, Client, Database, each_database, id};

async fn spend(client: &Client, home: &str, note: &str, more: Value) -> Value {
    let mut new = json!({ "spent_on": "2026-11-10", "amount_minor": 100, "note": note });
    for (name, value) in more.as_object().into_iter().flatten() {
        new[name] = value.clone();
    }
    client.make(&format!("{home}/expenses"), new).await
}

/// The notes of the expenses that a query finds, in order of their notes.
async fn found(client: &Client, home: &str, query: &str) -> String {
    let rows = client.all(&format!("{home}/expenses"), &format!("?{query}")).await;
    let mut notes: Vec<_> = rows.iter().filter_map(|row| row["note"].as_str()).collect();
    notes.sort_unstable();
    notes.concat()
}

#[each_database]
async fn every_filter_finds_what_it_says_and_all_of_them_together(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let kim = ada.make(&format!("{company}/members"), json!({ "name": "Kim" })).await;
    spend(&ada, &company, "a", json!({ "amount_minor": 99 })).await;
    spend(&ada, &company, "b", json!({ "member_id": kim["id"] })).await;
    spend(&ada, &company, "c", json!({ "currency": "JPY" })).await;
    spend(&ada, &company, "d", json!({ "kind": "refund" })).await;
    spend(&ada, &company, "e", json!({ "spent_on": "2026-11-11", "amount_minor": 101 })).await;
    let draft = spend(&ada, &company, "f", json!({ "spent_on": "2026-11-09" })).await;
    let path = format!("{company}/expenses/{}/submit", id(&draft));
    ada.post(&path, json!({ "version": 1 })).await.expect(200);
    let kim = id(&kim);
    for (query, notes) in [
        ("", "abcdef"),
        (&*format!("member_id={kim}"), "b"),
        ("currency=JPY", "c"),
        ("kind=refund", "d"),
        ("kind=purchase", "abcef"),
        ("status=submitted", "f"),
        ("status=draft", "abcde"),
        ("status=rejected", ""),
        ("status=rejected,submitted", "f"),
        ("status=submitted,draft,submitted", "abcdef"),
        (&format!("member_id={kim},{kim}&status=draft,submitted"), "b"),
        ("currency=JPY,ISK", "c"),
        ("kind=refund,purchase&status=submitted", "f"),
        ("spent_from=2026-11-10", "abcde"),
        ("spent_to=2026-11-10", "abcdf"),
        ("spent_from=2026-11-10&spent_to=2026-11-10", "abcd"),
        ("spent_from=2026-11-11&spent_to=2026-11-10", ""),
        ("amount_from=100", "bcdef"),
        ("amount_to=100", "abcdf"),
        ("amount_from=100&amount_to=100", "bcdf"),
        ("amount_from=-9223372036854775808&amount_to=9223372036854775807", "abcdef"),
        (
            &format!("member_id={kim}&currency=EUR&status=draft&kind=purchase&q=B&amount_from=1"),
            "b",
        ),
        (&format!("member_id={kim}&currency=JPY"), ""),
    ] {
        assert_eq!(found(&ada, &company, query).await, notes, "{query}");
    }
    app.stop().await;
}

#[each_database]
async fn a_category_finds_what_lies_below_it_and_what_has_a_line_in_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (eve, elsewhere) = app.owner_of("household").await;
    let make = async |name: &str, parent: Option<&Value>| {
        let new = json!({ "name": name, "parent_id": parent.map(|row| &row["id"]) });
        ada.make(&format!("{home}/categories"), new).await
    };
    let food = make("food", None).await;
    let sweets = make("sweets", Some(&food)).await;
    let chocolate = make("chocolate", Some(&sweets)).await;
    let other = make("other", None).await;
    for (note, category) in [("a", &food), ("b", &sweets), ("c", &chocolate), ("d", &other)] {
        spend(&ada, &home, note, json!({ "category_id": category["id"] })).await;
    }
    let line = |category: &Value| json!({ "name": "x", "amount_minor": 50, "category_id": category["id"] });
    let lines = json!({ "category_id": other["id"], "items": [line(&chocolate), line(&sweets)] });
    spend(&ada, &home, "e", lines).await;
    spend(&ada, &home, "f", json!({})).await;
    for (category, notes) in [(&food, "abce"), (&sweets, "bce"), (&chocolate, "ce"), (&other, "de")]
    {
        let query = format!("category_id={}", id(category));
        assert_eq!(found(&ada, &home, &query).await, notes, "{}", category["name"]);
        assert_eq!(found(&eve, &elsewhere, &query).await, "");
    }
    app.stop().await;
}

#[each_database]
async fn several_values_find_what_has_one_of_them_and_none_what_has_no_value(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let category = ada.make(&format!("{home}/categories"), json!({ "name": "food" })).await;
    let sweets = json!({ "name": "sweets", "parent_id": category["id"] });
    let sweets = ada.make(&format!("{home}/categories"), sweets).await;
    let other = ada.make(&format!("{home}/categories"), json!({ "name": "other" })).await;
    let house = ada.make(&format!("{home}/projects"), json!({ "name": "House" })).await;
    let barn = ada.make(&format!("{home}/projects"), json!({ "name": "Barn" })).await;
    let line = |category: &Value, project: &Value| {
        let [category, project] = [category, project].map(|row| row["id"].clone());
        json!({ "name": "x", "amount_minor": 50, "category_id": category, "project_id": project })
    };
    let none = json!({});
    let halves = |one: &Value, two: &Value| json!({ "items": [one, two] });
    spend(&ada, &home, "a", json!({ "category_id": category["id"], "project_id": house["id"] }))
        .await;
    spend(&ada, &home, "b", json!({ "category_id": other["id"], "project_id": barn["id"] })).await;
    spend(&ada, &home, "c", json!({})).await;
    spend(&ada, &home, "d", halves(&line(&sweets, &barn), &line(&other, &house))).await;
    spend(&ada, &home, "e", halves(&line(&sweets, &barn), &line(&none, &none))).await;
    let tagged = json!({ "tags": ["Roof, old", "yard"], "project_id": house["id"],
        "category_id": sweets["id"] });
    spend(&ada, &home, "f", tagged).await;
    spend(&ada, &home, "g", json!({ "tags": ["yard", r"a\b"] })).await;
    let [category, other, house, barn] = [&category, &other, &house, &barn].map(id);
    for (query, notes) in [
        (format!("category_id={category},{other}"), "abdef"),
        ("category_id=none".to_owned(), "ceg"),
        (format!("category_id={other},none"), "bcdeg"),
        (format!("project_id={house},{barn}"), "abdef"),
        ("project_id=none".to_owned(), "ceg"),
        (format!("project_id=none,{barn}"), "bcdeg"),
        (format!("project_id={barn},none,{house}&category_id=none,{category}"), "acdefg"),
        ("tag=YARD".to_owned(), "fg"),
        ("tag=roof%5C, old,nothing".to_owned(), "f"),
        ("tag=yard,a%5Cb".to_owned(), "fg"),
        ("tag=roof,old".to_owned(), ""),
    ] {
        for limit in [1, 2, 50] {
            for sort in ["spent_on", "-spent_on", "-amount_minor", "created_at"] {
                let query = format!("{query}&sort={sort}&limit={limit}");
                assert_eq!(found(&ada, &home, &query).await, notes, "{query}");
            }
        }
    }
    app.stop().await;
}

#[each_database]
async fn what_is_near_is_found_over_the_antimeridian_and_at_the_poles(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (note, latitude, longitude) in [
        ("a", 47.3769, 8.5417),
        ("b", 47.3780, 8.5403),
        ("c", 46.9480, 7.4474),
        ("d", -16.5, 179.999),
        ("e", -16.5, -179.999),
        ("f", 90.0, 0.0),
        ("g", 89.9999, 180.0),
    ] {
        spend(&ada, &home, note, json!({ "latitude": latitude, "longitude": longitude })).await;
    }
    spend(&ada, &home, "h", json!({})).await;
    for (query, notes) in [
        ("near=47.3769,8.5417&within=1", "a"),
        ("near=47.3769,8.5417", "ab"),
        ("near=47.3769,8.5417&within=90000", "ab"),
        ("near=47.3769,8.5417&within=100000", "abc"),
        ("near=-16.5,180&within=110", "de"),
        ("near=-16.5,180&within=100", ""),
        ("near=-16.5,-180&within=110&sort=amount_minor&limit=1", "de"),
        ("near=90,77&within=12", "fg"),
        ("near=90,-180&within=11", "f"),
        ("near=0,0&within=1&status=approved,draft", ""),
    ] {
        assert_eq!(found(&ada, &home, query).await, notes, "{query}");
    }
    let range = "from=2026-11-01&to=2026-11-30";
    for (query, amount, count) in [("", 800, 8), ("&near=47.3769,8.5417", 200, 2)] {
        for group_by in ["month", "category", "tag"] {
            let path = format!("{home}/reports/spending?{range}&group_by={group_by}{query}");
            let report = ada.read(&path).await;
            for sums in [&report["rows"][0], &report["totals"][0]] {
                let found = (sums["amount_minor"].as_i64(), sums["count"].as_i64());
                assert_eq!(found, (Some(amount), Some(count)), "{path}");
            }
        }
    }
    for half in [json!({ "latitude": 1.0 }), json!({ "latitude": null, "longitude": 1.0 })] {
        let mut new = json!({ "spent_on": "2026-11-10", "amount_minor": 100 });
        for (name, value) in half.as_object().into_iter().flatten() {
            new[name] = value.clone();
        }
        ada.post(&format!("{home}/expenses"), new).await.expect(422);
    }
    app.stop().await;
}

/// What the databases' patterns mean something by is only itself here; case means nothing.
#[each_database]
async fn text_is_found_to_the_letter_and_in_any_case(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (note, merchant) in [
        ("1", "100% pure"),
        ("2", "100 pure"),
        ("3", "under_score"),
        ("4", "underXscore"),
        ("5", r"back\slash"),
        ("6", "ÄRZTEHAUS Köln"),
        ("7", "ΟΔΟΣ ΟΔΟΣΤΡΩΜΑ"),
        ("8", "O'Brien \"Pub\""),
        ("9", "МОСКВА"),
    ] {
        spend(&ada, &home, note, json!({ "merchant": merchant })).await;
    }
    for (text, notes) in [
        ("100%25", "1"),
        ("%25", "1"),
        ("r_s", "3"),
        ("_", "3"),
        ("%5C", "5"),
        ("K%5CS", "5"),
        ("%5C%5C", ""),
        ("1%25p", ""),
        ("%5C%25", ""),
        ("ärztehaus KÖLN", "6"),
        ("οδος", "7"),
        ("ΟΔΟΣ", "7"),
        ("ΤΡΩΜΑ", "7"),
        ("ΔΟΣΤ", "7"),
        ("o'brien \"", "8"),
        ("москва", "9"),
        ("PURE", "12"),
        ("", "123456789"),
        ("[a-z]", ""),
        ("*", ""),
    ] {
        assert_eq!(found(&ada, &home, &format!("q={text}")).await, notes, "{text:?}");
    }
    assert_eq!(found(&ada, &home, "q=pure%20").await, "", "only what is there");
    app.stop().await;
}

#[each_database]
async fn a_list_comes_in_the_order_that_was_asked_for(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for (note, day, amount, merchant) in [
        ("a", "2026-11-03", 2, json!("Zeta")),
        ("b", "2026-11-01", 3, json!("alpha")),
        ("c", "2026-11-02", 1, json!("Beta")),
        ("d", "1999-12-31", 9_007_199_254_740_991_i64, json!(null)),
        ("e", "2026-11-02", 1, json!("ähre")),
    ] {
        let more = json!({ "spent_on": day, "amount_minor": amount, "merchant": merchant });
        spend(&ada, &home, note, more).await;
    }
    let expenses = format!("{home}/expenses");
    let notes = async |query: &str| -> String {
        let rows = ada.all(&expenses, query).await;
        rows.iter().filter_map(|row| row["note"].as_str()).collect()
    };
    for (sort, order) in [
        ("spent_on", "dbcea"),
        ("amount_minor", "ceabd"),
        ("merchant", "dbcae"),
        ("created_at", "abcde"),
    ] {
        let back: String = order.chars().rev().collect();
        for limit in [1, 2, 500] {
            let up = format!("?sort={sort}&limit={limit}");
            assert_eq!(notes(&up).await, order, "{up}");
            let down = format!("?limit={limit}&sort=-{sort}");
            assert_eq!(notes(&down).await, back, "{down}");
        }
    }
    assert_eq!(notes("").await, "aecbd", "the latest day first");
    app.stop().await;
}

#[each_database]
async fn a_query_that_makes_no_sense_is_refused_with_a_pointer(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    spend(&ada, &home, "a", json!({})).await;
    spend(&ada, &home, "b", json!({})).await;
    let expenses = format!("{home}/expenses");
    let page = ada.read(&format!("{expenses}?limit=1")).await;
    let cursor = page["next_cursor"].as_str().expect("another page");
    for (query, at) in [
        ("limit=0", "?limit"),
        ("limit=501", "?limit"),
        ("limit=x", "?limit"),
        ("sort=note", "?sort"),
        ("sort=--spent_on", "?sort"),
        ("status=open", "?status"),
        ("status=draft,open", "?status"),
        ("status=draft,", "?status"),
        ("status=none", "?status"),
        ("status=draft&status=approved", "?status"),
        ("member_id=none", "?member_id"),
        ("category_id=none,nobody", "?category_id"),
        ("tag=", "?tag"),
        ("tag=a,,b", "?tag"),
        ("near=47", "?near"),
        ("near=91,0", "?near"),
        ("near=0,180.1", "?near"),
        ("near=0,NaN", "?near"),
        ("near=0.00000001,0", "?near"),
        ("near=0,0&within=0", "?within"),
        ("near=0,0&within=10000001", "?within"),
        ("within=5", "?near"),
        ("tag=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21", "?tag"),
        ("currency=EUR,eur", "?currency"),
        ("currency=eur", "?currency"),
        ("spent_from=2026-13-01", "?spent_from"),
        ("amount_to=1.5", "?amount_to"),
        ("member_id=1", "?member_id"),
        ("nonsense=1", "?nonsense"),
        ("q=%00", "?q"),
        ("limit=1&limit=2", "?limit"),
        ("cursor=x", "?cursor"),
        ("cursor=", "?cursor"),
        (&format!("cursor={cursor}&sort=merchant"), "?cursor"),
    ] {
        let refused = ada.get(&format!("{expenses}?{query}")).await;
        assert_eq!(refused.expect_violations(), [at], "{query}");
    }
    app.stop().await;
}

#[each_database]
async fn a_page_links_to_the_next_one(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for note in ["a", "b", "c"] {
        spend(&ada, &home, note, json!({ "merchant": "x y&z" })).await;
    }
    let first = ada.get(&format!("{home}/expenses?q=x%20y%26z&limit=2")).await;
    let link = first.headers["link"].to_str().expect("text").to_owned();
    let first = first.expect(200);
    let next = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    let second = ada.get(next.expect("a link")).await;
    assert!(!second.headers.contains_key("link"));
    let second = second.expect(200);
    assert_eq!(
        (first["items"][1]["note"].as_str(), second["items"][0]["note"].as_str()),
        (Some("b"), Some("a"))
    );
    assert_eq!(second["next_cursor"], Value::Null);
    app.stop().await;
}
