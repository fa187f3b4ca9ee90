//! Requests to the Hub: the listing of a repository, and its files behind redirects.

use std::path::Path;

use ureq::http::{Response, StatusCode, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::super::progress::FetchProgress;
use super::super::settings::HubSettings;
use super::failure::{Failure, text};
use super::listing::Listing;
use super::retries::Retries;
use crate::error::{Error, Result};

/// The Hub itself.
const ENDPOINT: &str = "https://huggingface.co";
/// More redirects than any server has reason for.
const MOST_REDIRECTS: usize = 10;
/// Larger than the listing of any repository.
const MOST_LISTING_BYTES: u64 = 64 << 20;

/// One repository of the Hub.
pub(super) struct Hub<'a> {
    agent: Agent,
    endpoint: &'a str,
    repository: &'a str,
    pub(super) settings: &'a HubSettings,
}

/// An answer, with what the redirects on the way to it said.
pub(super) struct Answer {
    pub(super) response: Response<Body>,
    /// `X-Linked-Etag`, else `ETag`: what the Hub says of a file's content.
    pub(super) etag: Option<String>,
}

impl<'a> Hub<'a> {
    pub(super) fn new(settings: &'a HubSettings, repository: &'a str) -> Self {
        let agent = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(root_certificates()).build())
            .user_agent(concat!("whisper-rs/", env!("CARGO_PKG_VERSION")))
            // Each redirect is looked at here: the token is for the Hub alone.
            .max_redirects(0)
            .http_status_as_error(false)
            // The environment's proxy is chosen by each address.
            .proxy(None)
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_recv_response(Some(settings.answer_timeout))
            .timeout_per_read(Some(settings.stall_timeout))
            .build()
            .into();
        Self {
            agent,
            endpoint: settings.endpoint.as_deref().unwrap_or(ENDPOINT),
            repository,
            settings,
        }
    }

    /// The name of this source in messages.
    pub(super) fn name(&self) -> String {
        format!("Hugging Face Hub ({})", self.repository)
    }

    /// The error of a failure that ends this source.
    pub(super) fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Local(error) => error,
            Failure::Refused(why) | Failure::Broken(why) | Failure::Busy { why, .. } => {
                Error::source(
                    self.name(),
                    why.split_whitespace().collect::<Vec<_>>().join(" "),
                )
            }
        }
    }

    /// Asks for the repository's files. This is also the probe whether the Hub can be reached: no
    /// connection is not tried twice.
    pub(super) fn list(&self, progress: &dyn FetchProgress) -> Result<Listing> {
        let address = format!(
            "{}/api/models/{}/revision/main?blobs=true",
            self.endpoint, self.repository
        );
        let mut retries = Retries::new(progress);
        let mut answer = loop {
            match self.get(&address, 0) {
                Ok(answer) => break answer,
                Err(failure @ Failure::Busy { .. }) => retries
                    .wait(&self.name(), failure)
                    .map_err(|failure| self.error(failure))?,
                Err(failure) => return Err(self.error(failure)),
            }
        };
        let listing = answer
            .response
            .body_mut()
            .with_config()
            .limit(MOST_LISTING_BYTES)
            .read_to_vec()
            .map_err(|error| self.error(self.transport(error)))?;
        let listing: Listing = serde_json::from_slice(&listing).map_err(|error| {
            self.error(Failure::Refused(format!(
                "its answer is not understood: {error}"
            )))
        })?;
        // The names become paths here: nothing but plain names is looked at.
        Ok(Listing {
            siblings: listing
                .siblings
                .into_iter()
                .filter(|file| {
                    let name = Path::new(&file.name).file_name();
                    name.is_some_and(|name| name == &*file.name) && !file.name.contains('\\')
                })
                .collect(),
            ..listing
        })
    }

    /// Asks for a file of a commit, from its byte `start` on.
    pub(super) fn get_file(&self, commit: &str, name: &str, start: u64) -> Result<Answer, Failure> {
        let (endpoint, repository) = (self.endpoint, self.repository);
        let address = format!("{endpoint}/{repository}/resolve/{commit}/{name}");
        self.get(&address, start)
    }

    /// A failure of the transport.
    pub(super) fn transport(&self, error: impl Into<ureq::Error>) -> Failure {
        Failure::of_transport(error, self.settings.stall_timeout)
    }

    /// Asks for what is at an address, and follows redirects. The answer's status is one of success,
    /// or that nothing is left from byte `start` on.
    fn get(&self, address: &str, start: u64) -> Result<Answer, Failure> {
        let hub = parse(address).ok_or_else(|| {
            let why = format!("{address} is no address such as https://host (HF_ENDPOINT)");
            Failure::Refused(why)
        })?;
        let (mut address, mut etag) = (hub.clone(), None);
        for _ in 0..=MOST_REDIRECTS {
            let response = self.request(&address, is_same_origin(&address, &hub), start)?;
            let (status, headers) = (response.status(), response.headers());
            etag = etag.or_else(|| {
                let etag = text(headers, "x-linked-etag").or_else(|| text(headers, "etag"))?;
                Some(etag.trim_start_matches("W/").trim_matches('"').to_owned())
            });
            if status.is_redirection() {
                let target = text(headers, "location").unwrap_or_default();
                address = join(&address, target).ok_or_else(|| {
                    Failure::Refused(format!("a redirect to {target:?} is not understood"))
                })?;
            } else if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
                return Ok(Answer { response, etag });
            } else {
                let has_token = self.settings.token.is_some();
                return Err(Failure::of_status(status, headers, has_token));
            }
        }
        Err(Failure::Refused(format!(
            "more than {MOST_REDIRECTS} redirects"
        )))
    }

    fn request(&self, address: &Uri, is_hub: bool, start: u64) -> Result<Response<Body>, Failure> {
        let proxy = self
            .settings
            .proxies
            .of(address)
            .map_err(Failure::Refused)?;
        let mut request = self.agent.get(address).config().proxy(proxy);
        if start > 0 {
            // A range counts the bytes of the file itself.
            request = request.accept_encoding("identity");
        }
        let mut request = request.build();
        if let Some(token) = self.settings.token.as_ref().filter(|_| is_hub) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        request.call().map_err(|error| self.transport(error))
    }
}

/// The certificates that this system trusts, those of a company's proxy among them
/// (`SSL_CERT_FILE`), or Mozilla's where the system has none.
fn root_certificates() -> RootCerts {
    let system = rustls_native_certs::load_native_certs().certs;
    if system.is_empty() {
        return RootCerts::WebPki;
    }
    let certificates = system
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned());
    RootCerts::new_with_certs(&certificates.collect::<Vec<_>>())
}

fn parse(address: &str) -> Option<Uri> {
    let uri: Uri = address.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.host().is_some()).then_some(uri)
}

/// The target of a redirect: an address, or the path of one on the same host.
fn join(from: &Uri, target: &str) -> Option<Uri> {
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    if target.starts_with("//") {
        parse(&format!("{scheme}:{target}"))
    } else if target.starts_with('/') {
        parse(&format!("{scheme}://{authority}{target}"))
    } else {
        parse(target)
    }
}

/// Whether two addresses are of one server, reached in the same way.
fn is_same_origin(left: &Uri, right: &Uri) -> bool {
    left.scheme() == right.scheme() && left.authority() == right.authority()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_addresses_or_paths() {
        let from = parse("https://hub.org/a/b?c").unwrap();
        for (target, expected) in [
            ("https://cdn.net/x?sig=1", "https://cdn.net/x?sig=1"),
            ("/x/y?z", "https://hub.org/x/y?z"),
            ("//cdn.net/x", "https://cdn.net/x"),
        ] {
            assert_eq!(join(&from, target).unwrap(), expected);
        }
        for target in ["", "ftp://cdn.net/x", "file:///etc/passwd", "x y"] {
            assert_eq!(join(&from, target), None, "{target:?}");
        }
    }

    #[test]
    fn the_token_is_for_one_server_alone() {
        let same =
            |left: &str, right: &str| is_same_origin(&parse(left).unwrap(), &parse(right).unwrap());
        assert!(same("https://hub.org/a", "https://hub.org/b"));
        assert!(!same("https://hub.org/a", "http://hub.org/a"));
        assert!(!same("https://hub.org/a", "https://cdn.hub.org/a"));
        assert!(!same("https://hub.org/a", "https://hub.org:444/a"));
    }
}
