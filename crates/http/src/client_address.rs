//! Where a request comes from: whose address, and what the program calls itself. A header counts only as far as trusted proxies wrote it.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The longest `User-Agent` that is kept, in characters.
const LONGEST_USER_AGENT: usize = 255;

/// The address of the client: the peer's own, or, when the peer is a trusted proxy, the right-most address of
/// `X-Forwarded-For` that is not one. What stands further left was written by the client and decides nothing.
pub(crate) fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    // A socket that takes both kinds shows IPv4 peers as ::ffff:192.0.2.1, which no IPv4 network would contain.
    let peer = request.peer_addr()?.ip().to_canonical();
    if trusted.is_empty() {
        return Some(peer);
    }
    // Read from the bytes: a line that is no text must not make what the proxy added to it unread.
    let lines = request.headers().get_all(X_FORWARDED_FOR);
    let lines: Vec<_> = lines.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    behind(peer, &lines.join(","), trusted)
}

/// `None` when a trusted proxy speaks for somebody and does not say for whom: whoever it is, it is not the proxy.
fn behind(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer;
    if forwarded.trim().is_empty() {
        return Some(nearest);
    }
    for hop in forwarded.rsplit(',') {
        if !is_trusted(&nearest) {
            break;
        }
        nearest = address_in(hop.trim())?;
    }
    Some(nearest)
}

/// An address as proxies write it: bare, or with the port that it came from.
fn address_in(hop: &str) -> Option<IpAddr> {
    let bare = hop.parse().or_else(|_bare| hop.trim_matches(['[', ']']).parse());
    let address = bare.ok().or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
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

/// What the program calls itself, as much of it as is kept.
pub(crate) fn user_agent(request: &HttpRequest) -> String {
    let sent =
        request.headers().get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    // Whatever bytes it has: who could make it unreadable could hide behind that.
    sent.unwrap_or_default().chars().take(LONGEST_USER_AGENT).collect()
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
        let seen = |peer: &str, forwarded: &str| {
            behind(peer.parse().unwrap(), forwarded, &trusted)
                .map_or("nobody".to_owned(), |address| address.to_string())
        };
        assert_eq!(seen("203.0.113.9", "198.51.100.1"), "203.0.113.9", "an untrusted peer says nothing");
        assert_eq!(seen("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(
            seen("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2"),
            "198.51.100.1",
            "the forged hop is further left"
        );
        assert_eq!(seen("10.0.0.1", ""), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "198.51.100.1:4711"), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "[2001:db8::7]:4711"), "2001:db8::7");
        assert_eq!(seen("10.0.0.1", "\u{fffd}, 198.51.100.1"), "198.51.100.1");
        for unsaid in ["unknown", "198.51.100.1, unknown", "\u{fffd}", "198.51.100.1,", "10.0.0.2, "] {
            assert_eq!(seen("10.0.0.1", unsaid), "nobody", "the proxy is not whom it speaks for: {unsaid}");
        }
        assert_eq!(seen("::1", "2001:db8::7"), "2001:db8::7");
        assert_eq!(
            seen("::1", "198.51.100.1, ::ffff:10.0.0.2"),
            "198.51.100.1",
            "an IPv4 proxy in IPv6 dress"
        );
        assert_eq!(seen("::1", "::ffff:198.51.100.1"), "198.51.100.1");
    }
}
