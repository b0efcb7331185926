//! What a replica may answer takes the position that a client was shown, and the document says so; nothing else looks
//! at it. Without a replica, no answer has one.

use reqwest::Method;
use tests::{App, Database, Route, Sample, each_database};

const POSITION: &str = "x-steward-position";

fn takes_position(route: &Route) -> bool {
    let parameters = route.operation()["parameters"].as_array().into_iter().flatten();
    parameters.into_iter().any(|known| known["name"] == "X-Steward-Position")
}

#[each_database]
async fn a_position_is_read_where_the_document_says_so(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let mut taken = 0;
    let reads = Route::all().into_iter().filter(|it| it.method == Method::GET && !it.streams());
    for route in reads {
        let name = route.name();
        let sound =
            sample.request(&route).header(POSITION, "16/B374D848").send(&sample.owner).await;
        assert_ne!(sound.status, 422, "{name}: {}", sound.text);
        assert!(!sound.headers.contains_key(POSITION), "{name}: there is no replica");
        for unsound in ["", "7", "16/x", "1/100000000"] {
            let answer = sample.request(&route).header(POSITION, unsound).send(&sample.owner).await;
            if takes_position(&route) {
                let problem = answer.expect_problem(422, "invalid");
                assert_eq!(problem["violations"][0]["pointer"], "X-Steward-Position", "{name}");
            } else {
                assert_eq!(answer.status, sound.status, "{name}: {}", answer.text);
            }
        }
        taken += usize::from(takes_position(&route));
    }
    assert!(taken > 20, "reports, exports, events and histories: {taken}");
    app.stop().await;
}
