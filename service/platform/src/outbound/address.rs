//! Which addresses are of the public internet: pure.
//!
//! What is not known to be public is not: of IPv6, that is all outside 2000::/3.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Why an address is not of the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Of a private network (RFC 1918, RFC 4193).
    Private,
    /// This machine.
    Loopback,
    /// The network cable's other end, and clouds' metadata.
    LinkLocal,
    /// Shared by a provider's customers (RFC 6598).
    Shared,
    /// Many machines.
    Multicast,
    /// All machines of the network.
    Broadcast,
    /// None.
    Unspecified,
    /// For documentation, tests or later.
    Reserved,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "private",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Shared => "shared by a provider's customers",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Unspecified => "unspecified",
            Self::Reserved => "reserved",
        })
    }
}

/// Why an address is not of the public internet; none if it is.
pub fn class(address: IpAddr) -> Option<Class> {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Option<Class> {
    match address.octets() {
        [0, ..] => Some(Class::Unspecified),
        [127, ..] => Some(Class::Loopback),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Class::Private),
        [100, 64..=127, ..] => Some(Class::Shared),
        [169, 254, ..] => Some(Class::LinkLocal),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => Some(Class::Reserved),
        [198, 51, 100, _] | [203, 0, 113, _] => Some(Class::Reserved),
        [224..=239, ..] => Some(Class::Multicast),
        [255, 255, 255, 255] => Some(Class::Broadcast),
        [240..=255, ..] => Some(Class::Reserved),
        _ => None,
    }
}

fn class_v6(address: Ipv6Addr) -> Option<Class> {
    // Before the IPv4 in them: ::/96 holds these two.
    if address.is_unspecified() {
        return Some(Class::Unspecified);
    }
    if address.is_loopback() {
        return Some(Class::Loopback);
    }
    let mut inside = embedded(address).into_iter().flatten().peekable();
    if inside.peek().is_some() {
        return inside.find_map(class_v4);
    }
    match address.segments() {
        [0xfe80..=0xfebf, ..] => Some(Class::LinkLocal),
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Some(Class::Private),
        [0xff00..=0xffff, ..] => Some(Class::Multicast),
        // Protocols' own addresses, documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Class::Reserved),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Class::Reserved),
    }
}

/// The IPv4 addresses that an IPv6 address stands for, or through which it goes.
fn embedded(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let v4 = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Compatible, mapped, translated (SIIT), NAT64.
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [v4(high, low), None],
        // 6to4.
        [0x2002, high, low, ..] => [v4(high, low), None],
        // Teredo: its server, and the client with its bits turned round.
        [0x2001, 0, high, low, _, _, not_high, not_low] => [v4(high, low), v4(!not_high, !not_low)],
        // ISATAP, under a prefix of the public internet.
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, high, low] => [v4(high, low), None],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class_of(text: &str) -> Option<Class> {
        class(text.parse().expect("an address"))
    }

    #[test]
    fn every_kind_of_address_that_is_not_public_is_known() {
        use Class::*;
        for (kind, addresses) in [
            (Unspecified, &["0.0.0.0", "0.255.255.255", "::"][..]),
            (Loopback, &["127.0.0.1", "127.255.255.254", "::1"]),
            (Private, &["10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255"]),
            (Private, &["192.168.0.1", "192.168.255.255", "fc00::", "fdff::1", "fec0::1"]),
            (Shared, &["100.64.0.0", "100.127.255.255"]),
            (LinkLocal, &["169.254.0.1", "169.254.169.254", "fe80::1", "febf::1"]),
            (Multicast, &["224.0.0.1", "239.255.255.255", "ff00::", "ff02::1"]),
            (Broadcast, &["255.255.255.255"]),
            (Reserved, &["240.0.0.0", "255.255.255.254", "192.0.0.8", "192.0.2.1"]),
            (Reserved, &["198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9"]),
            (Reserved, &["192.88.99.1", "2001:db8::1", "3fff::1", "2001:2::1", "2001:10::1"]),
            (Reserved, &["100::1", "5f00::1", "64:ff9b:1::1", "4000::1", "200::1"]),
        ] {
            for address in addresses {
                assert_eq!(class_of(address), Some(kind), "{address}");
            }
        }
        for public in ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"] {
            assert_eq!(class_of(public), None, "{public}");
        }
        for public in ["172.15.255.255", "172.32.0.0", "192.167.0.1", "223.255.255.255"] {
            assert_eq!(class_of(public), None, "{public}");
        }
        for public in ["2606:4700:4700::1111", "2a00:1450::1", "2001:200::1"] {
            assert_eq!(class_of(public), None, "{public}");
        }
    }

    /// Every way in which an IPv6 address stands for an IPv4 one.
    fn disguises(address: Ipv4Addr) -> Vec<Ipv6Addr> {
        let [a, b, c, d] = address.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        let public = 0x0808;
        vec![
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !public, !public),
            Ipv6Addr::new(0x2001, 0, public, public, 0, 0, !high, !low),
            Ipv6Addr::new(0x2a00, 1, 2, 3, 0, 0x5efe, high, low),
        ]
    }

    proptest! {
        #[test]
        fn no_disguise_makes_an_address_public(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            for disguise in disguises(address) {
                prop_assert_eq!(
                    class_v6(disguise).is_some(), class_v4(address).is_some(), "{}", disguise
                );
            }
        }

        #[test]
        fn nothing_outside_the_public_block_of_ipv6_is_public(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits);
            let in_block = address.segments()[0] >> 13 == 1;
            let stands_for_another = embedded(address).iter().any(Option::is_some);
            prop_assert!(in_block || stands_for_another || class_v6(address).is_some());
        }

        #[test]
        fn the_standard_library_agrees(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            let not_public = address.is_private() || address.is_loopback()
                || address.is_link_local() || address.is_multicast() || address.is_broadcast()
                || address.is_documentation() || address.is_unspecified();
            prop_assert!(!not_public || class_v4(address).is_some());
        }
    }

    #[test]
    fn the_ends_of_every_range_are_disguised_in_vain() {
        for private in ["10.0.0.0", "127.0.0.1", "169.254.169.254", "192.168.1.1", "224.0.0.1"] {
            for disguise in disguises(private.parse().expect("an address")) {
                assert!(class_v6(disguise).is_some(), "{disguise}");
            }
        }
    }
}
