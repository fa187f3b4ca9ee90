//! What the environment says about fetching.

use std::path::PathBuf;
use std::time::Duration;

use super::proxies::Proxies;

/// Environment variables, by name; empty ones count as unset.
pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    pub(super) fn first(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| (self.0)(name).filter(|value| !value.is_empty()))
    }

    /// A path; `~` in its beginning is the user's home, as the Hub's Python library has it.
    fn path(&self, names: &[&str]) -> Option<PathBuf> {
        let path = PathBuf::from(self.first(names)?);
        match path.strip_prefix("~") {
            Ok(below) => Some(dirs::home_dir()?.join(below)),
            Err(_) => Some(path),
        }
    }

    fn flag(&self, name: &str) -> bool {
        self.first(&[name]).is_some_and(|value| {
            ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str())
        })
    }

    fn seconds(&self, name: &str) -> Option<Duration> {
        let seconds: f64 = self.first(&[name])?.parse().ok()?;
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|duration| !duration.is_zero())
    }

    /// Why the network is not to be used, if it is not. (The Hub's Python library reads the second
    /// variable as well.)
    pub(super) fn offline(&self) -> Option<&'static str> {
        [
            ("HF_HUB_OFFLINE", "HF_HUB_OFFLINE is set"),
            ("TRANSFORMERS_OFFLINE", "TRANSFORMERS_OFFLINE is set"),
        ]
        .into_iter()
        .find_map(|(name, why)| self.flag(name).then_some(why))
    }

    /// The cache of fetched models: `WHISPER_RS_CACHE`, else `whisper-rs` in the user's cache
    /// folder.
    pub(super) fn cache(&self) -> Option<PathBuf> {
        self.first(&["WHISPER_RS_CACHE"])
            .map(PathBuf::from)
            .or_else(|| Some(dirs::cache_dir()?.join("whisper-rs")))
    }
}

/// How the Hugging Face Hub is reached. The variables are those of the Hub's own Python library.
#[derive(Clone, Debug)]
pub(super) struct HubSettings {
    /// `HF_ENDPOINT`: a mirror instead of the Hub itself.
    pub(super) endpoint: Option<String>,
    /// `HF_TOKEN`, or the token that the Hub's login command stored.
    pub(super) token: Option<String>,
    /// Where other programs keep the Hub's models: `HF_HUB_CACHE` or `HF_HOME`, and
    /// `TRANSFORMERS_CACHE`.
    pub(super) caches: Vec<PathBuf>,
    /// The way to the network.
    pub(super) proxies: Proxies,
    /// For name lookup and connection.
    pub(super) connect_timeout: Duration,
    /// For the first answer: `HF_HUB_ETAG_TIMEOUT` in seconds.
    pub(super) answer_timeout: Duration,
    /// Without a single byte in a running download: `HF_HUB_DOWNLOAD_TIMEOUT` in seconds.
    pub(super) stall_timeout: Duration,
}

impl HubSettings {
    pub(super) fn from_env(env: &Environment<'_>) -> Self {
        let home = env.path(&["HF_HOME"]).or_else(|| {
            let cache = env.path(&["XDG_CACHE_HOME"]);
            let cache = cache.or_else(|| Some(dirs::home_dir()?.join(".cache")))?;
            Some(cache.join("huggingface"))
        });
        let cache = env
            .path(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"])
            .or_else(|| Some(home.as_ref()?.join("hub")));
        let older = env.path(&["TRANSFORMERS_CACHE"]);
        let token = env
            .first(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
            .or_else(|| {
                let file = env.path(&["HF_TOKEN_PATH"]);
                let file = file.or_else(|| Some(home.as_ref()?.join("token")))?;
                std::fs::read_to_string(file).ok()
            });
        Self {
            endpoint: env
                .first(&["HF_ENDPOINT"])
                .map(|endpoint| endpoint.trim_end_matches('/').to_string()),
            token: token
                .map(|token| token.trim().to_string())
                .filter(|token| !token.is_empty()),
            caches: cache.into_iter().chain(older).collect(),
            proxies: Proxies::from_env(env),
            connect_timeout: Duration::from_secs(3),
            answer_timeout: env
                .seconds("HF_HUB_ETAG_TIMEOUT")
                .unwrap_or(Duration::from_secs(8)),
            stall_timeout: env
                .seconds("HF_HUB_DOWNLOAD_TIMEOUT")
                .unwrap_or(Duration::from_secs(15)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> (HubSettings, Option<PathBuf>, bool) {
        let lookup = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some(value.to_string())
        };
        let env = Environment(&lookup);
        let hub = HubSettings::from_env(&env);
        (hub, env.cache(), env.offline().is_some())
    }

    #[test]
    fn variables_of_the_hub_are_honoured() {
        let (hub, cache, offline) = settings(&[
            ("HF_ENDPOINT", "http://localhost:1234/"),
            ("HF_TOKEN", " secret\n"),
            ("HF_HOME", "/hf"),
            ("HF_HUB_OFFLINE", "1"),
            ("HF_HUB_DOWNLOAD_TIMEOUT", "60"),
            ("TRANSFORMERS_CACHE", "/old"),
            ("WHISPER_RS_CACHE", "/models"),
        ]);
        assert_eq!(hub.endpoint.as_deref(), Some("http://localhost:1234"));
        assert_eq!(hub.token.as_deref(), Some("secret"));
        assert_eq!(hub.caches, ["/hf/hub", "/old"].map(PathBuf::from));
        assert_eq!(hub.stall_timeout, Duration::from_secs(60));
        assert_eq!(cache, Some("/models".into()));
        assert!(offline);
    }

    #[test]
    fn the_hubs_cache_is_named_by_itself_or_by_its_home() {
        let (hub, ..) = settings(&[("HF_HUB_CACHE", "/cache"), ("HF_HOME", "/hf")]);
        assert_eq!(hub.caches, [PathBuf::from("/cache")]);
        assert!(settings(&[("TRANSFORMERS_OFFLINE", "true")]).2);
    }

    #[test]
    fn a_tilde_is_the_users_home() {
        let (hub, ..) = settings(&[("HF_HOME", "~/hf"), ("TRANSFORMERS_CACHE", "/a/~")]);
        let home = dirs::home_dir().unwrap();
        assert_eq!(hub.caches, [home.join("hf/hub"), PathBuf::from("/a/~")]);
    }

    #[test]
    fn a_token_may_lie_in_a_file() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("token"), "stored\n").unwrap();
        let home = home.path().to_str().unwrap();
        let (hub, ..) = settings(&[("HF_HOME", home)]);
        assert_eq!(hub.token.as_deref(), Some("stored"));
        let (hub, ..) = settings(&[("HF_HOME", home), ("HF_TOKEN", "given")]);
        assert_eq!(hub.token.as_deref(), Some("given"));
    }

    #[test]
    fn empty_variables_count_as_unset() {
        let (hub, _, offline) = settings(&[
            ("HF_ENDPOINT", ""),
            ("HF_HUB_OFFLINE", "0"),
            ("HF_HUB_CACHE", ""),
            ("XDG_CACHE_HOME", "/xdg"),
            ("HF_TOKEN_PATH", "/nowhere"),
        ]);
        assert_eq!(hub.endpoint, None);
        assert_eq!(hub.token, None);
        assert_eq!(hub.caches, [PathBuf::from("/xdg/huggingface/hub")]);
        assert!(!offline);
    }
}
