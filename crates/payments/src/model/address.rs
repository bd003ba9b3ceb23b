//! Which addresses webhooks may be sent to: an address that whoever subscribes could not reach by
//! themselves must not be reached through us.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::settings::PrivateWebhooks;

impl PrivateWebhooks {
    /// Whether something may be sent to an address.
    pub(crate) fn admits(&self, address: SocketAddr) -> bool {
        *self == Self::Allowed || self.excepts(address) || is_public(address.ip())
    }

    /// Whether an address is one of the exceptions.
    pub(crate) fn excepts(&self, address: SocketAddr) -> bool {
        matches!(self, Self::Only(only) if only.contains(&address))
    }
}

/// Whether an address belongs to the public internet. What is not known to be public is not.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        // "This network", multicast, and all that is reserved.
        || a == 0
        || a >= 224
        // Shared by carriers, for protocols, 6to4 relays, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

/// Of IPv6, `2000::/3` alone is given out; in it, some parts carry an IPv4 address, which would have
/// to be looked at in turn.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let is_special = match a {
        // For protocols, Teredo among them; for documentation.
        0x2001 => b < 0x0200 || b == 0x0db8,
        // 6to4.
        0x2002 => true,
        // For documentation.
        0x3fff => b < 0x1000,
        _ => false,
    };
    a & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_public_internet_is_told_from_what_is() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "3fff::1",
            "fec0::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_exception_is_one_address_with_its_port() {
        let only = PrivateWebhooks::Only(vec!["127.0.0.1:8080".parse().unwrap()]);
        for (address, admits) in [
            ("127.0.0.1:8080", true),
            ("127.0.0.1:8081", false),
            ("127.0.0.2:8080", false),
            ("8.8.8.8:443", true),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(only.admits(address), admits, "{address}");
            assert!(PrivateWebhooks::Allowed.admits(address));
        }
    }
}
