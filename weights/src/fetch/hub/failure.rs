//! Why a request to the Hub failed, which decides what is done about it.

use std::io;
use std::time::{Duration, SystemTime};

use ureq::http::{HeaderMap, StatusCode};

use crate::error::Error;

/// A longest message of the Hub's own that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something on this machine, such as a full disk: another source would fail as well.
    Local(Error),
    /// The Hub's last word: there is no such file, the token is not good enough.
    Refused(String),
    /// The Hub asks to come again later.
    Busy {
        why: String,
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
    /// No connection, or one that broke or hangs.
    Broken(String),
}

impl Failure {
    /// What an answer's status says, where it is not the file that was asked for.
    pub(super) fn of_status(status: StatusCode, headers: &HeaderMap, has_token: bool) -> Self {
        let code = status.as_u16();
        let meaning = match code {
            401 | 403 if has_token => {
                "the repository does not exist, or HF_TOKEN gives no access to it"
            }
            401 | 403 => "the repository does not exist, or needs a token: set HF_TOKEN",
            404 => "there is no such repository or file",
            429 => "too many requests",
            500.. => "the server has a problem",
            _ => "not understood",
        };
        let mut why = format!("http status: {code} ({meaning})");
        if let Some(message) = text(headers, "x-error-message") {
            let message: String = message.chars().take(LONGEST_MESSAGE).collect();
            why += &format!(": {message}");
        }
        match code {
            408 | 429 | 500.. => Self::Busy {
                why,
                wait: wait_asked_for(headers, SystemTime::now()),
            },
            _ => Self::Refused(why),
        }
    }

    /// A transport's failure while a request is sent or answered. The reading of a body reports
    /// such failures as those of a file.
    pub(super) fn of_transport(error: impl Into<ureq::Error>, stall: Duration) -> Self {
        use ureq::{Error, Timeout};

        Self::Broken(match error.into() {
            Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
                format!("no data for {} s", stall.as_secs_f64())
            }
            Error::Timeout(_) => "it does not answer".into(),
            Error::HostNotFound => "there is no host of that name, or no network".into(),
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "the connection is refused".into()
            }
            Error::Io(error) if error.to_string().contains("certificate") => format!(
                "{error}; the certificates of a proxy or mirror of one's own are read from SSL_CERT_FILE"
            ),
            Error::ConnectProxyFailed(why) => format!("the proxy refuses the connection: {why}"),
            error => error.to_string(),
        })
    }
}

/// How long an answer asks to wait: `Retry-After` in seconds or until a date, or the Hub's own
/// `RateLimit: "api";r=0;t=42`.
fn wait_asked_for(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if let Some(value) = text(headers, "retry-after") {
        if let Ok(seconds) = value.trim().parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(value).ok()?;
        return Some(date.duration_since(now).unwrap_or_default());
    }
    let seconds = text(headers, "ratelimit")?
        .split(';')
        .find_map(|part| part.trim().strip_prefix("t="))?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}

/// A header's value as text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        wait_asked_for(&headers, now)
    }

    #[test]
    fn a_wait_is_in_seconds_or_until_a_date() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(wait("retry-after", "7"), seconds(7));
        let date = "Sun, 06 Nov 1994 08:50:00 GMT";
        assert_eq!(wait("retry-after", date), seconds(23));
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        assert_eq!(wait("retry-after", past), seconds(0));
        assert_eq!(wait("ratelimit", "\"api\";r=0;t=42"), seconds(42));
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("ratelimit", "\"api\";r=0"), None);
        assert_eq!(wait("date", "7"), None);
    }

    #[test]
    fn a_status_says_whether_to_come_again() {
        let of = |code: u16| {
            let status = StatusCode::from_u16(code).unwrap();
            Failure::of_status(status, &HeaderMap::new(), false)
        };
        for code in [401, 403, 404, 410, 301] {
            assert!(matches!(of(code), Failure::Refused(_)), "{code}");
        }
        for code in [408, 429, 500, 503] {
            assert!(matches!(of(code), Failure::Busy { .. }), "{code}");
        }
    }

    #[test]
    fn the_hubs_own_message_is_passed_on() {
        let mut headers = HeaderMap::new();
        let gated = "Access to model someone/gated is restricted.";
        headers.insert("x-error-message", gated.parse().unwrap());
        let failure = Failure::of_status(StatusCode::FORBIDDEN, &headers, true);
        let Failure::Refused(why) = failure else {
            panic!("{failure:?}");
        };
        assert!(why.contains("HF_TOKEN") && why.ends_with(gated), "{why}");
    }
}
