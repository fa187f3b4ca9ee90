//! The proxies of the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as curl
//! and Python's HTTP libraries read them.
//!
//! ureq reads them as well, but takes the first proxy of all for every address, and exceptions only
//! where they are the whole name of a host.

use ureq::Proxy;
use ureq::http::Uri;

use super::settings::Environment;

/// Which proxy serves which address.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    https: Option<String>,
    http: Option<String>,
    exceptions: Vec<String>,
}

impl Proxies {
    pub(super) fn from_env(env: &Environment<'_>) -> Self {
        let all = env.first(&["all_proxy", "ALL_PROXY"]);
        let exceptions = env.first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Self {
            https: env
                .first(&["https_proxy", "HTTPS_PROXY"])
                .or_else(|| all.clone()),
            http: env.first(&["http_proxy", "HTTP_PROXY"]).or(all),
            exceptions: exceptions
                .split(',')
                .map(|exception| exception.trim().to_lowercase())
                .filter(|exception| !exception.is_empty())
                .collect(),
        }
    }

    /// The proxy for an address; the error says which variable's value is none.
    pub(super) fn of(&self, address: &Uri) -> Result<Option<Proxy>, String> {
        let proxy = match address.scheme_str() {
            Some("https") => &self.https,
            _ => &self.http,
        };
        let (Some(proxy), Some(host)) = (proxy, address.host()) else {
            return Ok(None);
        };
        if self.is_exception(host, address.port_u16()) {
            return Ok(None);
        }
        Proxy::new(proxy)
            .map(Some)
            .map_err(|_| "the proxy of the environment (HTTPS_PROXY, HTTP_PROXY or ALL_PROXY) is no address such as http://host:port".into())
    }

    /// Exceptions are hosts, with those below them: `example.org` is `hub.example.org` as well, and a
    /// dot or `*.` in front changes nothing. A port limits one to that port; `*` is every host.
    fn is_exception(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.trim_matches(['[', ']']).to_lowercase();
        self.exceptions.iter().any(|exception| {
            let (name, its_port) = match exception.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') => (name, digits.parse().ok()),
                _ => (exception.as_str(), None),
            };
            let name = name.trim_start_matches('*').trim_start_matches('.');
            let same_host = name.is_empty()
                || host == name
                || host
                    .strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'));
            same_host && (its_port.is_none() || its_port == port)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let lookup = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some(value.to_string())
        };
        Proxies::from_env(&Environment(&lookup))
    }

    fn host_for(proxies: &Proxies, address: &str) -> Option<String> {
        let proxy = proxies.of(&address.parse().unwrap()).unwrap();
        proxy.map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let proxies = proxies(&[("HTTPS_PROXY", "http://secure:1"), ("ALL_PROXY", "any:2")]);
        assert_eq!(
            host_for(&proxies, "https://hub.org/x").as_deref(),
            Some("secure")
        );
        assert_eq!(host_for(&proxies, "http://hub.org").as_deref(), Some("any"));
        let none = Proxies::default();
        assert_eq!(host_for(&none, "https://hub.org"), None);
    }

    #[test]
    fn exceptions_are_hosts_and_those_below_them() {
        let list = "localhost, .example.org,*.cdn.net,mirror:8080,10.0.0.1";
        let proxies = proxies(&[("http_proxy", "http://proxy:1"), ("NO_PROXY", list)]);
        for direct in [
            "http://localhost:9000/x",
            "http://example.org",
            "http://HUB.example.org",
            "http://a.cdn.net",
            "http://mirror:8080",
            "http://10.0.0.1:3128",
        ] {
            assert_eq!(host_for(&proxies, direct), None, "{direct}");
        }
        for through in [
            "http://badexample.org",
            "http://mirror:8081",
            "http://mirror",
            "http://110.0.0.1",
        ] {
            assert!(host_for(&proxies, through).is_some(), "{through}");
        }
        let all = self::proxies(&[("http_proxy", "http://proxy:1"), ("no_proxy", "*")]);
        assert_eq!(host_for(&all, "http://hub.org"), None);
    }

    #[test]
    fn a_proxy_that_is_none_is_an_error() {
        let proxies = proxies(&[("HTTP_PROXY", "nonsense://x y")]);
        let why = proxies.of(&"http://hub.org".parse().unwrap()).unwrap_err();
        assert!(why.contains("HTTP_PROXY"), "{why}");
        assert!(proxies.of(&"https://hub.org".parse().unwrap()).is_ok());
    }
}
