//! Exact round trips of bodies.

use super::{
    cases,
    room::{OTHER, Room, SOME, new_id},
};

cases![
    integers_keep_every_digit,
    fractions_keep_every_digit,
    numbers_beyond_any_float_are_kept,
    members_keep_their_order,
    an_empty_object_is_kept,
    values_of_all_types_are_kept,
    strange_names_are_kept,
    names_of_the_engines_own_are_kept,
    text_of_all_planes_is_kept,
    text_is_not_normalized,
    escapes_are_kept_as_they_are_written,
    white_space_is_kept_as_it_is_written,
    text_that_looks_like_an_instant_or_a_number_is_kept,
    a_hundred_levels_are_kept,
    twenty_thousand_members_are_kept,
    a_mebibyte_of_text_is_kept,
    a_mebibyte_of_escapes_is_kept,
    a_mebibyte_of_wide_characters_is_kept,
    a_mebibyte_of_numbers_is_kept,
    bodies_of_every_size_around_their_parts_are_kept,
    numbers_of_a_thousand_digits_are_kept,
    exponents_of_every_form_are_kept,
    halves_of_pairs_of_escapes_are_kept,
    names_of_sixty_kilobytes_are_kept,
    a_hundred_levels_of_arrays_of_objects_are_kept,
    a_large_body_gives_way_to_a_small_one,
    each_version_of_a_body_is_kept,
];

async fn is_kept(room: &Room, body: &str) {
    let key = new_id().to_string();
    let created = room.create(&key, body).await;
    assert!(created.body.as_deref() == Some(body), "as it is answered: {}", shown(&created.body));
    let read = room.get(&key).await.unwrap();
    assert!(read.body.as_deref() == Some(body), "as it is read: {}", shown(&read.body));
    let listed = room.all(10).await;
    let listed = listed.iter().find(|document| document.key == key).unwrap();
    assert!(listed.body.as_deref() == Some(body), "as it is listed: {}", shown(&listed.body));
    let changes = room.changes(None, 100).await.unwrap();
    let changed = changes.documents.iter().find(|document| document.key == key).unwrap();
    assert!(changed.body.as_deref() == Some(body), "as it has changed: {}", shown(&changed.body));
}

fn shown(body: &Option<String>) -> String {
    body.iter().flat_map(|body| body.chars()).take(200).collect()
}

async fn integers_keep_every_digit(room: &Room) {
    is_kept(room, r#"{"a":9007199254740993,"b":-9223372036854775808,"c":18446744073709551615}"#)
        .await;
    is_kept(room, r#"{"a":123456789012345678901234567890123456789012345678901234567890}"#).await;
    is_kept(room, r#"{"a":-0,"b":0,"c":100000000000000000000000}"#).await;
}

async fn fractions_keep_every_digit(room: &Room) {
    is_kept(room, r#"{"a":0.1,"b":1.0,"c":1.10,"d":-0.0,"e":0.30000000000000004}"#).await;
    is_kept(room, r#"{"a":3.14159265358979323846264338327950288419716939937510}"#).await;
}

async fn numbers_beyond_any_float_are_kept(room: &Room) {
    is_kept(room, r#"{"a":1e400,"b":-1E+400,"c":1e-400,"d":1E5,"e":1e+5,"f":1.5e-7}"#).await;
}

async fn members_keep_their_order(room: &Room) {
    is_kept(room, r#"{"b":1,"a":2,"10":3,"9":4,"B":5,"":6,"1":7}"#).await;
}

async fn an_empty_object_is_kept(room: &Room) {
    is_kept(room, "{}").await;
}

async fn values_of_all_types_are_kept(room: &Room) {
    is_kept(room, r#"{"a":null,"b":[true,false,[],{},[[null]]],"c":{"d":{"e":""}}}"#).await;
}

async fn strange_names_are_kept(room: &Room) {
    is_kept(
        room,
        r#"{"":0,"a.b":1,"a/b":2,"~":3,"$ref":4,"$gt":5," ":6,"__proto__":7,"constructor":8}"#,
    )
    .await;
    is_kept(room, r##"{"toString":1,"length":2,"\n":3,"日":4,"a[0]":5,"*":6,"#":7}"##).await;
}

async fn names_of_the_engines_own_are_kept(room: &Room) {
    is_kept(room, r#"{"_id":"x","_rev":"1-x","_deleted":true,"_attachments":{},"id":1,"key":2}"#)
        .await;
    is_kept(room, r#"{"PK":"x","SK":"y","version":9,"body":"z","deleted":true,"N":"1","S":"a"}"#)
        .await;
}

async fn text_of_all_planes_is_kept(room: &Room) {
    is_kept(
        room,
        "{\"a\":\"é ß 日本 \u{1f600} \u{10ffff} \u{ffff} \u{fffd} \u{2028} \u{feff} \u{7f}\"}",
    )
    .await;
    is_kept(room, "{\"\u{1f600}\":1,\"\u{ffff}\":2}").await;
}

async fn text_is_not_normalized(room: &Room) {
    is_kept(room, "{\"a\":\"\u{e9}\",\"b\":\"e\u{301}\",\"c\":\"\u{212b}\",\"d\":\"\u{fb01}\"}")
        .await;
}

async fn escapes_are_kept_as_they_are_written(room: &Room) {
    is_kept(room, r#"{"a":"\u0000\u001f\b\f\n\r\t\"\\\/","b":"\u00e9\u0041\uD83D\uDE00"}"#).await;
}

async fn white_space_is_kept_as_it_is_written(room: &Room) {
    is_kept(room, "{ \"a\" : [ 1 ,\t2 ] ,\r\n \"b\":\" c \" }").await;
}

async fn text_that_looks_like_an_instant_or_a_number_is_kept(room: &Room) {
    is_kept(
        room,
        r#"{"a":"2026-11-29T12:00:00+01:00","b":"1","c":"01","d":"true","e":"null","f":" "}"#,
    )
    .await;
}

async fn a_hundred_levels_are_kept(room: &Room) {
    let body = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    is_kept(room, &body).await;
    let body = format!("{}0{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    is_kept(room, &body).await;
}

async fn twenty_thousand_members_are_kept(room: &Room) {
    let members: Vec<_> =
        (0..20_000).rev().map(|number| format!("\"m{number}\":{number}")).collect();
    is_kept(room, &format!("{{{}}}", members.join(","))).await;
}

async fn a_mebibyte_of_text_is_kept(room: &Room) {
    let body = format!("{{\"a\":\"{}\"}}", "é".repeat((1024 * 1024 - 8) / 2));
    assert_eq!(body.len(), 1024 * 1024);
    is_kept(room, &body).await;
}

async fn a_mebibyte_of_escapes_is_kept(room: &Room) {
    let body = format!("{{\"a\":\"{}\"}}", "\\\"".repeat((1024 * 1024 - 8) / 2));
    is_kept(room, &body).await;
}

async fn a_mebibyte_of_wide_characters_is_kept(room: &Room) {
    let body = format!("{{\"a\":\"{}\"}}", "\u{1f600}".repeat((1024 * 1024 - 8) / 4));
    assert_eq!(body.len(), 1024 * 1024);
    is_kept(room, &body).await;
}

async fn a_mebibyte_of_numbers_is_kept(room: &Room) {
    let numbers = "-1.50e+7,".repeat((1024 * 1024 - 10) / 9);
    is_kept(room, &format!("{{\"a\":[{numbers}0]}}")).await;
}

/// Engines keep what is long in parts, which must not end within a character.
async fn bodies_of_every_size_around_their_parts_are_kept(room: &Room) {
    for size in [64 << 10, 100 << 10, 300 << 10, 400_000, 600 << 10, 900 << 10] {
        for more in 0..4 {
            let text = "x".repeat(more) + &"\u{1f600}".repeat(size / 4);
            is_kept(room, &format!("{{\"a\":\"{text}\"}}")).await;
        }
    }
}

async fn numbers_of_a_thousand_digits_are_kept(room: &Room) {
    let (nines, zeros) = ("9".repeat(1_000), "0".repeat(998));
    is_kept(room, &format!("{{\"a\":{nines},\"b\":-{nines},\"c\":0.{zeros}1,\"d\":1.{zeros}}}"))
        .await;
}

async fn exponents_of_every_form_are_kept(room: &Room) {
    is_kept(room, r#"{"a":1e0,"b":1E0,"c":1e+00,"d":1e-00,"e":0e9999,"f":-0E-9999,"g":1e0007}"#)
        .await;
    is_kept(room, r#"{"a":9.99e9999,"b":1e-9999,"c":1.7976931348623157e308,"d":5e-324}"#).await;
}

async fn halves_of_pairs_of_escapes_are_kept(room: &Room) {
    is_kept(room, r#"{"a":"\ud83d","b":"\ude00\ud83d","c":"\uD83Dx","\udc00":1}"#).await;
}

async fn names_of_sixty_kilobytes_are_kept(room: &Room) {
    let name = "é".repeat(30_000);
    is_kept(room, &format!("{{\"{name}\":1,\"{name}a\":{{\"{name}\":2}}}}")).await;
}

async fn a_hundred_levels_of_arrays_of_objects_are_kept(room: &Room) {
    let body = format!("{{\"a\":{}0{}}}", "[{\"b\":".repeat(50), "}]".repeat(50));
    is_kept(room, &body).await;
}

async fn a_large_body_gives_way_to_a_small_one(room: &Room) {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(500_000));
    room.create("a", SOME).await;
    room.update("a", 1, &large).await;
    assert!(room.get("a").await.unwrap().body == Some(large));
    room.update("a", 2, OTHER).await;
    assert_eq!(room.get("a").await.unwrap().body.as_deref(), Some(OTHER));
}

async fn each_version_of_a_body_is_kept(room: &Room) {
    room.create("a", r#"{"a":1}"#).await;
    for (version, body) in [(1, r#"{"a":1.0}"#), (2, r#"{"a":1.00}"#), (3, r#"{"a":10e-1}"#)] {
        room.update("a", version, body).await;
        assert_eq!(room.get("a").await.unwrap().body.as_deref(), Some(body));
    }
}
