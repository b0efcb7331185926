//! The real clients of InfluxDB: those of npm and of PyPI.

use std::{env, ffi::OsString, path::PathBuf, process::Command};

use serde_json::json;
use tests::{App, Database, each_database};

/// Runs a program of this folder with arguments. The packages are in `TEST_INFLUX_CLIENTS`.
async fn run(program: OsString, script: &str, arguments: [String; 2]) {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("http/meter").join(script);
    let run = move || Command::new(program).arg(script).args(arguments).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().expect("the program is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[each_database]
async fn the_clients_of_npm_and_pypi_write(database: Database) {
    let Some(folder) = env::var_os("TEST_INFLUX_CLIENTS").map(PathBuf::from) else {
        eprintln!("skipped: TEST_INFLUX_CLIENTS is not set");
        return;
    };
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "name": "clients", "role": "manager" });
    let key = ada.post(&format!("{home}/api-keys"), new).await.expect(201);
    let arguments = || [app.base.clone(), key["token"].as_str().unwrap().to_owned()];
    run("node".into(), "influx.mjs", arguments()).await;
    run(folder.join("env/bin/python").into_os_string(), "influx.py", arguments()).await;

    let meters = ada.read(&format!("{home}/meters?limit=500")).await;
    let mut sources: Vec<&str> = meters["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|meter| meter["source"].as_str().unwrap())
        .collect();
    sources.sort_unstable();
    let room = "home,room=Living\\ Room\\,\\ 1\\=2";
    let mut expected = vec![
        "npm/home f".to_owned(),
        "npm/home light".to_owned(),
        "npm/home people".to_owned(),
        format!("npm/{room} temperature"),
        format!("py1/{room} people"),
        format!("py1/{room} temperature"),
    ];
    for bucket in ["py", "pyzip"] {
        expected.push(format!("{bucket}/home f"));
        expected.push(format!("{bucket}/{room} temperature"));
    }
    expected.sort_unstable();
    assert_eq!(sources, expected);
    app.stop().await;
}
