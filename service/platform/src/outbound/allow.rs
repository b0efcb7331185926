use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

use super::address::{Class, class};

/// What of the operator's own network users may reach: networks, and names whatever their addresses.
#[derive(Debug, Clone, Default)]
pub struct Allow {
    networks: Vec<IpNet>,
    names: Vec<String>,
}

impl Allow {
    /// Why an address is refused.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Class> {
        let plain = address.to_canonical();
        match class(address) {
            Some(_) if self.networks.iter().any(|network| network.contains(&plain)) => Ok(()),
            Some(class) => Err(class),
            None => Ok(()),
        }
    }

    /// Whether a name may have any address.
    pub(super) fn has_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Why a text is no list of what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a network as in 192.168.1.0/24 nor a host's name")]
pub struct NotAnAllowList(String);

impl FromStr for Allow {
    type Err = NotAnAllowList;

    fn from_str(text: &str) -> Result<Self, NotAnAllowList> {
        let mut allow = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if let Ok(network) = part.parse::<IpNet>() {
                allow.networks.push(network.trunc());
            } else if let Ok(address) = part.parse::<IpAddr>() {
                allow.networks.push(address.into());
            } else if is_name(part) {
                allow.names.push(part.trim_end_matches('.').to_owned());
            } else {
                return Err(NotAnAllowList(part.to_owned()));
            }
        }
        Ok(allow)
    }
}

/// As a URL has it. What ends in a number would be an address there, and no name.
fn is_name(text: &str) -> bool {
    matches!(url::Host::parse(text), Ok(url::Host::Domain(name)) if name.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_a_single_address_and_a_name_are_allowed() {
        let allow: Allow =
            "192.168.1.7/24, 127.0.0.1,fd00::/8 , printer.local.".parse().expect("one");
        let check = |text: &str| allow.check(text.parse().expect("an address"));
        for allowed in ["192.168.1.200", "127.0.0.1", "::ffff:127.0.0.1", "fd12::1", "1.1.1.1"] {
            assert_eq!(check(allowed), Ok(()), "{allowed}");
        }
        assert_eq!(check("192.168.2.1"), Err(Class::Private));
        assert_eq!(check("127.0.0.2"), Err(Class::Loopback));
        assert!(allow.has_name("Printer.local") && allow.has_name("printer.local."));
        assert!(!allow.has_name("a.printer.local"));
    }

    #[test]
    fn what_is_neither_a_network_nor_a_name_is_refused() {
        for bad in ["192.168.1.0/33", "10.0.0", "http://x", "a b", "x:80", "10/8"] {
            assert!(bad.parse::<Allow>().is_err(), "{bad}");
        }
        assert!("".parse::<Allow>().is_ok());
    }
}
