//! Readings as clients of InfluxDB write them.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, each_database};

const V2: &str = "/api/v2/write?org=home&bucket=climate&precision=s";
const V1: &str = "/write?db=climate&precision=s";

async fn key(ada: &Client, home: &str, role: &str) -> String {
    let new = json!({ "name": "sensors", "role": role });
    let key = ada.post(&format!("{home}/api-keys"), new).await.expect(201);
    key["token"].as_str().unwrap().to_owned()
}

/// Somebody who writes with a key, as a client of version 2 does.
struct Writer {
    client: Client,
    authorization: String,
}

impl Writer {
    fn new(app: &App, key: &str) -> Self {
        Self { client: app.anonymous(), authorization: format!("Token {key}") }
    }

    async fn send(&self, path: &str, body: impl Into<Vec<u8>>, more: &[(&str, &str)]) -> Answer {
        let mut headers = vec![("authorization", &*self.authorization)];
        headers.extend_from_slice(more);
        self.client.send_bytes(Method::POST, path, "text/plain", Some(body.into()), &headers).await
    }

    async fn write(&self, lines: &str) -> Answer {
        self.send(V2, lines, &[]).await
    }
}

/// The values of the meter with this source, by their instants.
async fn values(ada: &Client, home: &str, source: &str) -> Vec<(String, String)> {
    let meters = ada.read(&format!("{home}/meters?limit=500")).await;
    let meters = meters["items"].as_array().unwrap();
    let meter = meters.iter().find(|meter| meter["source"] == source).expect(source);
    let id = meter["id"].as_str().unwrap();
    let readings = ada.read(&format!("{home}/meters/{id}/readings")).await;
    let reading = |it: &Value| (it["at"].as_str().unwrap().to_owned(), it["value"].to_string());
    let mut readings: Vec<_> = readings["items"].as_array().unwrap().iter().map(reading).collect();
    readings.sort_unstable();
    readings
}

/// What InfluxDB's clients of either version show of an error.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.json["code"], code, "{}", answer.text);
    assert_eq!(answer.json["error"], answer.json["message"], "{}", answer.text);
    answer.json["message"].as_str().unwrap().to_owned()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[each_database]
async fn a_series_makes_a_meter_and_its_fields_readings(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let writer = Writer::new(&app, &key(&ada, &home, "manager").await);
    let lines = "# of Home Assistant\n\
                 home,room=Living\\ Room,floor=0 temp=21.50,hum=36i,on=t,name=\"x\" 1795262400\n\
                 home,floor=0,room=Living\\ Room temp=21.299999999999997 1795262460\n\
                 home,floor=0,room=Living\\ Room temp=1 1795262520\n\
                 home,floor=0,room=Living\\ Room temp=2 1795262520\n\
                 notes text=\"nothing to read\" 1795262400\n";
    assert_eq!(writer.write(lines).await.status, 204);
    let source = |field: &str| format!("climate/home,floor=0,room=Living\\ Room {field}");
    let at = |time: &str| format!("2026-11-21T{time}Z");
    let temperatures = [
        (at("12:00:00"), "21.5".to_owned()),
        (at("12:01:00"), "21.3".to_owned()),
        (at("12:02:00"), "2".to_owned()),
    ];
    assert_eq!(values(&ada, &home, &source("temp")).await, temperatures);
    assert_eq!(values(&ada, &home, &source("hum")).await, [(at("12:00:00"), "36".to_owned())]);
    assert_eq!(values(&ada, &home, &source("on")).await, [(at("12:00:00"), "1".to_owned())]);
    let meters = ada.read(&format!("{home}/meters")).await;
    assert_eq!(meters["items"].as_array().unwrap().len(), 3);
    assert_eq!(meters["items"][0]["kind"], "gauge");

    // Sent again, it is the same; another value corrects it.
    assert_eq!(writer.write(lines).await.status, 204);
    assert_eq!(values(&ada, &home, &source("temp")).await, temperatures);
    let corrected = "home,floor=0,room=Living\\ Room temp=22 1795262400";
    assert_eq!(writer.write(corrected).await.status, 204);
    assert_eq!(values(&ada, &home, &source("temp")).await[0].1, "22");
    app.stop().await;
}

#[each_database]
async fn a_key_that_may_only_record_writes_to_the_meters_that_there_are(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let meter = json!({ "name": "Power", "unit": "kW.h", "kind": "counter", "precision": 3,
        "source": "climate/power,phase=1 total" });
    ada.make(&format!("{home}/meters"), meter.clone()).await;
    let twice = ada.post(&format!("{home}/meters"), meter).await;
    assert_eq!(twice.expect_problem(409, "duplicate")["violations"][0]["pointer"], "/source");

    let writer = Writer::new(&app, &key(&ada, &home, "member").await);
    let answer = writer
        .write("power,phase=1 total=12.5 1795262400\nother x=1 1\nm x\npower,phase=1 total=-1 1795262500")
        .await;
    let message = refused(&answer, 400, "invalid");
    assert!(message.starts_with("partial write: 3 of 4 lines were refused"), "{message}");
    for part in
        ["line 2 has no meter whose source is", "line 3 has a field without a value", "line 4 "]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(answer.json["line"], 2);
    let values = values(&ada, &home, "climate/power,phase=1 total").await;
    assert_eq!(values, [("2026-11-21T12:00:00Z".to_owned(), "12.5".to_owned())]);
    let viewer = Writer::new(&app, &key(&ada, &home, "viewer").await);
    refused(&viewer.write("power,phase=1 total=13").await, 403, "forbidden");
    app.stop().await;
}

#[each_database]
async fn a_body_may_be_compressed_and_is_bounded_as_it_is_read(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let writer = Writer::new(&app, &key(&ada, &home, "manager").await);
    let coding = [("content-encoding", "gzip")];
    let sent = writer.send(V2, gzip(b"m f=1 1795262400"), &coding).await;
    assert_eq!(sent.status, 204, "{}", sent.text);
    assert_eq!(values(&ada, &home, "climate/m f").await.len(), 1);
    let bomb = gzip(&vec![b'\n'; 64 << 20]);
    refused(&writer.send(V2, bomb, &coding).await, 413, "request too large");
    refused(&writer.send(V2, "m f=1", &coding).await, 400, "invalid");
    refused(&writer.send(V2, "m f=1", &[("content-encoding", "br")]).await, 415, "invalid");
    refused(&writer.send(V2, b"m f=1\xff".to_vec(), &[]).await, 400, "invalid");
    app.stop().await;
}

#[each_database]
async fn clients_of_version_1_write_and_ask_what_they_ask_first(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let key = key(&ada, &home, "manager").await;
    let (anybody, client) = (app.anonymous(), Writer::new(&app, &key));
    let ping = anybody.get("/ping").await;
    assert_eq!(ping.status, 204);
    assert!(ping.headers.contains_key("x-influxdb-version"));
    let show = format!("/query?q=SHOW+DATABASES&db=climate&u=any&p={key}");
    let databases = anybody.get(&show).await.expect(200);
    assert_eq!(databases["results"][0]["series"][0]["values"], json!([["climate"]]));
    let query = client.send("/query?q=CREATE%20DATABASE%20%22climate%22", "", &[]).await;
    assert_eq!(query.expect(200)["results"][0]["statement_id"], 0);
    refused(&client.send("/query?q=SELECT%20*%20FROM%20m", "", &[]).await, 400, "invalid");
    // Home Assistant's sign of life.
    assert_eq!(client.send(V1, "\n", &[]).await.status, 204);

    let by_parameter = format!("{V1}&u=any&p={key}");
    let written = anybody
        .send_bytes(
            Method::POST,
            &by_parameter,
            "text/plain",
            Some(b"m f=1 1795262400".to_vec()),
            &[],
        )
        .await;
    assert_eq!(written.status, 204, "{}", written.text);
    assert_eq!(values(&ada, &home, "climate/m f").await.len(), 1);
    refused(&anybody.get("/query?q=SHOW+DATABASES&u=any&p=x").await, 401, "unauthorized");
    app.stop().await;
}

#[each_database]
async fn who_and_what_is_wrong_is_said_as_influxdb_says_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let id = home.rsplit('/').next().unwrap();
    let writer = Writer::new(&app, &key(&ada, &home, "manager").await);
    let nobody = Writer::new(&app, "stw_k_x");
    refused(&nobody.write("m f=1").await, 401, "unauthorized");
    let own = format!("/api/v2/write?orgID={id}&bucket=climate");
    assert_eq!(writer.send(&own, "m f=1", &[]).await.status, 204);
    let other = "/api/v2/write?org=01900000-0000-7000-8000-000000000000&bucket=climate";
    refused(&writer.send(other, "m f=1", &[]).await, 404, "not found");
    let empty = writer.write("").await;
    assert!(refused(&empty, 400, "invalid").contains("writing requires points"));
    for path in
        ["/api/v2/write?org=home", "/api/v2/write?bucket=b&precision=d", "/write?precision=s"]
    {
        refused(&writer.send(path, "m f=1", &[]).await, 400, "invalid");
    }
    // A session is no key, and says no organization.
    let session =
        ada.send_bytes(Method::POST, V2, "text/plain", Some(b"m f=1".to_vec()), &[]).await;
    refused(&session, 404, "not found");
    app.anonymous().get("/api/v2/write").await.expect_problem(405, "method_not_allowed");
    app.stop().await;
}
