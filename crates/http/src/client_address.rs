//! Whose address a request comes from. A header counts only as far as trusted proxies wrote it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer's own, or, when the peer is a trusted proxy, the right-most address of
/// `X-Forwarded-For` that is not one. What stands further left was written by the client and decides nothing.
pub(crate) fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    // A socket that takes both kinds shows IPv4 peers as ::ffff:192.0.2.1, which no IPv4 network would contain.
    let peer = request.peer_addr()?.ip().to_canonical();
    if trusted.is_empty() {
        return Some(peer);
    }
    let hops = request.headers().get_all(X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    Some(behind(peer, &hops.collect::<Vec<_>>().join(","), trusted))
}

fn behind(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer;
    for hop in forwarded.rsplit(',') {
        if !is_trusted(&nearest) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => nearest = address.to_canonical(),
            // Something that is no address was not written by our proxies; what is known ends here.
            Err(_) => break,
        }
    }
    nearest
}

/// The network that stands for an address where attempts are counted. One IPv6 subscriber has a /64 at the least, and
/// each of its addresses would be a limit of its own.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    const HOST_BITS: u32 = 64;
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> HOST_BITS << HOST_BITS).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{behind, network_of};

    #[test]
    fn ipv6_addresses_count_by_their_first_64_bits_and_ipv4_ones_by_all() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2:ffff:ffff:ffff:ffff"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:3::"), "2001:db8:1:3::");
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let seen =
            |peer: &str, forwarded: &str| behind(peer.parse().unwrap(), forwarded, &trusted).to_string();
        assert_eq!(seen("203.0.113.9", "198.51.100.1"), "203.0.113.9", "an untrusted peer says nothing");
        assert_eq!(seen("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(
            seen("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2"),
            "198.51.100.1",
            "the forged hop is further left"
        );
        assert_eq!(seen("10.0.0.1", ""), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "unknown"), "10.0.0.1");
        assert_eq!(seen("::1", "2001:db8::7"), "2001:db8::7");
        assert_eq!(
            seen("::1", "198.51.100.1, ::ffff:10.0.0.2"),
            "198.51.100.1",
            "an IPv4 proxy in IPv6 dress"
        );
        assert_eq!(seen("::1", "::ffff:198.51.100.1"), "198.51.100.1");
    }
}
