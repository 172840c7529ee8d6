//! Refuses requests that a web page makes: a browser sends them for any site to any address that it reaches.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderName, header};

use super::refused::{Refused, shown};

/// The header in which a browser says how the page that makes a request is related to the server.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The hosts that a request may name, beside `localhost` and the loopback addresses.
///
/// A page whose own name leads to a loopback address (DNS rebinding) is of the same origin as the server to a browser, but it
/// cannot change the name that the browser sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// Allows these hosts, each without a port.
    pub(crate) fn new<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(hosts.into_iter().map(normalize).collect())
    }

    /// Refuses a request without a host, or with one that is not allowed. The port does not matter: it may be forwarded.
    pub(super) fn check(&self, request: &Request) -> Result<(), Refused> {
        let in_headers = request.headers().get_all(header::HOST).into_iter().map(|host| host.to_str().ok());
        let in_target = request.uri().authority().map(|authority| Some(authority.as_str()));
        let mut named = in_headers.chain(in_target).peekable();
        if named.peek().is_none() {
            return Err(Refused::host_header("it has no Host header"));
        }
        match named.find(|host| !host.is_some_and(|host| self.allows(host))) {
            Some(host) => Err(Refused::host_header(&format!("its host is `{}`", shown(host.unwrap_or("not text"))))),
            None => Ok(()),
        }
    }

    fn allows(&self, named: &str) -> bool {
        let Ok(authority) = named.parse::<Authority>() else { return false };
        let host = normalize(authority.host());
        let is_loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        !named.contains('@') && (is_loopback || host == "localhost" || self.0.contains(&host))
    }
}

/// Refuses a request that a web page makes: only browsers send these headers. A page of the server itself may load others.
pub(super) fn check_origin(request: &Request) -> Result<(), Refused> {
    let mut sites = request.headers().get_all(FETCH_SITE).into_iter();
    let is_cross_site = sites.any(|site| site != "none" && site != "same-origin");
    match is_cross_site || request.headers().contains_key(header::ORIGIN) {
        true => Err(Refused::web_page()),
        false => Ok(()),
    }
}

/// A host as the value of `--allow-host`: a name or an address, and nothing else.
pub(crate) fn parse_host(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    match is_name || normalize(text).parse::<IpAddr>().is_ok() {
        true => Ok(text.to_owned()),
        false => {
            Err("not a host: write a name or an address without scheme and port, such as host.docker.internal".into())
        }
    }
}

/// The one form of a host: lower case, without a trailing dot or brackets, and of an address the canonical form.
fn normalize(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host.parse::<IpAddr>().map_or(host, |address| address.to_canonical().to_string())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(target: &str, headers: &[(&str, &str)]) -> Request {
        let request = headers.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn loopback_and_the_hosts_that_are_named_are_answered_with_any_port() {
        let hosts = Hosts::new(["Host.Docker.Internal", "[fd00::0:1]", "10.1.2.3"]);
        for host in [
            "localhost",
            "LOCALHOST:9000",
            "localhost.",
            "localhost.:1",
            "127.0.0.1",
            "127.8.9.10:80",
            "[::1]",
            "[::1]:9000",
            "[0:0:0:0:0:0:0:1]:9000",
            "[::ffff:127.0.0.1]",
            "host.docker.internal",
            "HOST.docker.internal.:9000",
            "[fd00::1]:9000",
            "10.1.2.3:9000",
        ] {
            assert_eq!(hosts.check(&request("/", &[("host", host)])), Ok(()), "{host}");
            assert_eq!(hosts.check(&request(&format!("http://{host}/"), &[])), Ok(()), "{host}");
        }
    }

    #[test]
    fn any_other_host_is_refused_wherever_it_stands() {
        let hosts = Hosts::new(["host.docker.internal"]);
        for host in [
            "",
            " ",
            ":9000",
            "evil.example",
            "evil.example:9000",
            "localhost.evil.example",
            "evil-localhost",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost/evil.example",
            "localhost, evil.example",
            "localhost..",
            "0.0.0.0",
            "[::]",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "::1",
            "[::1",
            "10.0.0.1",
            "docker.internal",
            "[::ffff:10.0.0.1]",
        ] {
            assert!(hosts.check(&request("/", &[("host", host)])).is_err(), "{host}");
            assert!(hosts.check(&request("/", &[("host", "localhost"), ("host", host)])).is_err(), "{host}");
        }
        assert!(hosts.check(&request("/", &[])).is_err());
        assert!(hosts.check(&request("http://evil.example/", &[("host", "localhost")])).is_err());
        assert!(hosts.check(&request("http://localhost/", &[("host", "evil.example")])).is_err());
    }

    #[test]
    fn what_a_page_sends_is_refused() {
        for (headers, is_refused) in [
            (&[][..], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "")], true),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], true),
            (&[("origin", "http://evil.example")], true),
            (&[("origin", "null")], true),
            (&[("origin", "")], true),
            (&[("origin", "http://127.0.0.1:9000"), ("sec-fetch-site", "same-origin")], true),
        ] {
            assert_eq!(check_origin(&request("/", headers)).is_err(), is_refused, "{headers:?}");
        }
    }

    #[test]
    fn a_host_to_allow_is_a_name_or_an_address() {
        for text in ["host.docker.internal", "a", "10.0.0.1", "::1", "[::1]", "my_host"] {
            assert_eq!(parse_host(text).as_deref(), Ok(text));
        }
        for text in ["", "*", "*.example", "a:9000", "http://a", "a/b", "a b", "ä", "a@b", "[::1]:9000"] {
            assert!(parse_host(text).unwrap_err().contains("without scheme and port"), "{text}");
        }
    }
}
