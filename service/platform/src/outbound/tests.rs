use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn outbound(allow: &str) -> Outbound {
    Outbound::new(allow.parse().expect("a list")).expect("a client")
}

/// Names that have these addresses, and how often they were asked for.
fn names(addresses: &'static [&'static str]) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let found = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Box::pin(async move { Ok(found) })
    });
    (lookup, asked)
}

/// A server that gives every connection the same answer, and counts them.
async fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = client.read(&mut request).await;
                let _ = client.write_all(answer.as_bytes()).await;
                let _ = client.shutdown().await;
            });
        }
    });
    (port, connections)
}

async fn post(outbound: &Outbound, url: &str) -> Result<Response, OutboundError> {
    outbound.post(url, &[("content-type", "text/plain".into())], b"x".to_vec(), SECOND).await
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nretry-after: 7\r\n\r\nok";

#[tokio::test]
async fn an_answer_comes_back_from_where_it_is_allowed() {
    let (port, connections) = server(OK).await;
    let url = format!("http://127.0.0.1:{port}/x?y=z");
    let answer = post(&outbound("127.0.0.1/32"), &url).await.expect("an answer");
    let expected = Response { status: 200, retry_after: Some("7".into()), body: b"ok".to_vec() };
    assert_eq!(answer, expected);
    assert_eq!(post(&outbound(""), &url).await, Err(OutboundError::Refused(Class::Loopback)));
    assert_eq!(connections.load(Ordering::SeqCst), 1, "the second never connected");
}

#[tokio::test]
async fn every_spelling_of_an_address_is_refused() {
    let outbound = outbound("");
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ] {
        let refused = post(&outbound, &format!("http://{host}:1/")).await;
        assert_eq!(refused, Err(OutboundError::Refused(Class::Loopback)), "{host}");
    }
    for (host, class) in [
        ("0", Class::Unspecified),
        ("169.254.169.254", Class::LinkLocal),
        ("0xa9fea9fe", Class::LinkLocal),
        ("[fe80::1]", Class::LinkLocal),
        ("10.1.2.3", Class::Private),
        ("[fd00::1]", Class::Private),
        ("100.64.0.1", Class::Shared),
    ] {
        let refused = post(&outbound, &format!("https://{host}/")).await;
        assert_eq!(refused, Err(OutboundError::Refused(class)), "{host}");
    }
}

#[tokio::test]
async fn a_name_with_a_private_address_is_refused() {
    let (port, connections) = server(OK).await;
    let url = format!("http://rebind.example:{port}/");
    let (lookup, asked) = names(&["127.0.0.1"]);
    let refused = Outbound::with_lookup(Allow::default(), lookup).expect("a client");
    assert_eq!(post(&refused, &url).await, Err(OutboundError::Refused(Class::Loopback)));
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let localhost = format!("http://localhost:{port}/");
    assert_eq!(
        post(&outbound(""), &localhost).await,
        Err(OutboundError::Refused(Class::Loopback)),
        "as the machine looks it up",
    );
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_connection() {
    let (port, _) = server(OK).await;
    let (lookup, asked) = names(&["127.0.0.1", "10.0.0.1"]);
    let allow = "127.0.0.1".parse().expect("a list");
    let outbound = Outbound::with_lookup(allow, lookup).expect("a client");
    let url = format!("http://rebind.example:{port}/");
    assert_eq!(post(&outbound, &url).await.map(|answer| answer.status), Ok(200));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "what was checked is what was connected to");
}

#[tokio::test]
async fn a_name_that_is_allowed_may_have_any_address() {
    let (port, _) = server(OK).await;
    let (lookup, _) = names(&["127.0.0.1"]);
    let allow = "printer.local".parse().expect("a list");
    let outbound = Outbound::with_lookup(allow, lookup).expect("a client");
    let status = async |host: &str| {
        post(&outbound, &format!("http://{host}:{port}/")).await.map(|answer| answer.status)
    };
    assert_eq!(status("printer.local").await, Ok(200));
    assert_eq!(status("other.local").await, Err(OutboundError::Refused(Class::Loopback)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inner, reached) = server(OK).await;
    let location = format!("HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:{inner}/\r\n\r\n");
    let (port, _) = server(location.leak()).await;
    let sent = post(&outbound("127.0.0.1"), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(sent, Err(OutboundError::Redirect(307)));
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_goes_wrong_has_its_word() {
    let outbound = outbound("127.0.0.1");
    let (port, _) = server("this is not HTTP\r\n\r\n").await;
    let broken = post(&outbound, &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(broken.map_err(|error| error.word()), Err("broken_answer"));
    let tls = post(&outbound, &format!("https://127.0.0.1:{port}/")).await;
    assert_eq!(tls, Err(OutboundError::Tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = listener.local_addr().expect("an address").port();
    drop(listener);
    let nobody = post(&outbound, &format!("http://127.0.0.1:{free}/")).await;
    assert_eq!(nobody, Err(OutboundError::Connect));
    let unknown: Lookup = Arc::new(|_| Box::pin(async { Err(io::Error::other("no such name")) }));
    let unknown = Outbound::with_lookup(Allow::default(), unknown).expect("a client");
    assert_eq!(post(&unknown, "http://nowhere.example/").await, Err(OutboundError::Name));
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_by_its_length_or_its_time() {
    let outbound = outbound("127.0.0.1");
    let long = format!("HTTP/1.1 500 X\r\n\r\n{}", "x".repeat(200_000));
    let (port, _) = server(long.leak()).await;
    let answer = post(&outbound, &format!("http://127.0.0.1:{port}/")).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (500, MAX_BODY_BYTES));
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let timeout = Duration::from_millis(50);
    let waited = outbound.post(&url, &[], Vec::new(), timeout).await;
    assert_eq!(waited, Err(OutboundError::Timeout));
}

#[test]
fn only_plain_urls_are_called() {
    for bad in [
        "",
        "example.org",
        "/path",
        "ftp://example.org",
        "file:///etc/passwd",
        "gopher://x/",
        "http://",
        "http://user@example.org",
        "http://user:password@example.org",
        "http://:password@example.org",
        "http://256.256.256.256",
        "http://[::1",
        "data:,x",
    ] {
        let refused = parse(bad).expect_err(bad);
        assert_eq!(refused.word(), "invalid_url", "{bad}");
        assert!(!refused.to_string().contains("password@"), "{bad}");
    }
    assert!(parse("https://example.org:8443/a?b=c").is_ok());
}
