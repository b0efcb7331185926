use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderMap, web};
use service::{error, identity::throttle::Network};

use crate::{config::TrustedProxies, problem::Failure, state::State};

/// The network that a request comes from: the peer's, or what a proxy of one's own says of its client.
#[derive(Debug, Clone, Copy)]
pub struct Source(pub Network);

impl Source {
    /// That of a request.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let state = request.app_data::<web::Data<State>>();
        let peer = request.peer_addr().map(|peer| peer.ip());
        let found = state.zip(peer).map(|(state, peer)| {
            let address = client(peer, request.headers(), &state.settings.trusted_proxies);
            Self(address.into())
        });
        let nowhere = || error::Error::Internal("a request comes from nowhere".into());
        found.ok_or_else(|| nowhere().into())
    }
}

impl FromRequest for Source {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// The last address on the way here that is none of one's own proxies: all before it is hearsay.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let mut client = peer;
    for hop in hops(headers).into_iter().rev() {
        if !trusted.contains(client) {
            break;
        }
        let Some(address) = address(&hop) else { break };
        client = address;
    }
    client
}

/// Who has handed the request on to whom, as the proxies say, the client first. `Forwarded` (RFC 7239)
/// counts where there is no `X-Forwarded-For`.
fn hops(headers: &HeaderMap) -> Vec<String> {
    let all = |name: &str| {
        let lines = headers.get_all(name).filter_map(|value| value.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::to_owned).collect::<Vec<_>>()
    };
    let said = all("x-forwarded-for");
    if !said.is_empty() {
        return said;
    }
    all("forwarded").iter().map(|element| forwarded_for(element).unwrap_or_default()).collect()
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<String> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut nodes = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    nodes.next().map(|(_, node)| node.trim().trim_matches('"').to_owned())
}

/// The address of a hop, without its port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    if let Some((inside, _)) = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside.parse().ok();
    }
    let bare = hop.parse().ok();
    bare.or_else(|| hop.rsplit_once(':').and_then(|(address, _)| address.parse().ok()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn found(peer: &str, headers: &[(&str, &str)], trusted: &str) -> String {
        let mut request = TestRequest::default();
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let request = request.to_http_request();
        let trusted = trusted.parse().expect("networks");
        client(peer.parse().expect("an address"), request.headers(), &trusted).to_string()
    }

    #[test]
    fn only_a_proxy_of_ones_own_is_believed() {
        let said = ("x-forwarded-for", "198.51.100.7");
        assert_eq!(found("192.0.2.1", &[said], ""), "192.0.2.1");
        assert_eq!(found("192.0.2.1", &[said], "203.0.113.0/24"), "192.0.2.1");
        assert_eq!(found("192.0.2.1", &[said], "192.0.2.0/24"), "198.51.100.7");
        assert_eq!(found("192.0.2.1", &[], "192.0.2.0/24"), "192.0.2.1");
        assert_eq!(found("::ffff:192.0.2.1", &[said], "192.0.2.1"), "198.51.100.7");
    }

    #[test]
    fn what_the_client_says_of_itself_is_hearsay() {
        let trusted = "192.0.2.0/24,10.0.0.0/8";
        let way = ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.1.2.3");
        assert_eq!(found("192.0.2.1", &[way], trusted), "198.51.100.7");
        let lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(found("192.0.2.1", &lines, trusted), "198.51.100.7");
        let nonsense = ("x-forwarded-for", "203.0.113.9, unknown");
        assert_eq!(found("192.0.2.1", &[nonsense], trusted), "192.0.2.1");
    }

    #[test]
    fn forwarded_is_read_where_it_stands_alone() {
        let trusted = "192.0.2.1";
        for (said, address) in [
            ("for=198.51.100.7;proto=https", "198.51.100.7"),
            (r#"For="[2001:db8::7]:4711""#, "2001:db8::7"),
            (r#"for=203.0.113.9, for="198.51.100.7:80";by=x"#, "198.51.100.7"),
            ("proto=https", "192.0.2.1"),
            ("for=_hidden", "192.0.2.1"),
        ] {
            assert_eq!(found("192.0.2.1", &[("forwarded", said)], trusted), address, "{said}");
        }
        let both = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.7:80")];
        assert_eq!(found("192.0.2.1", &both, trusted), "198.51.100.7");
    }
}
