//! How audio is opened, where the defaults do not fit.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::raw::RawFormat;

/// What [`Audio::open_with`](crate::Audio::open_with) does that [`Audio::open`](crate::Audio::open) does not.
///
/// More fields may come: begin with the default one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AudioOptions {
    /// Which of several channels is heard.
    pub channel: Channel,
    /// The input has no header, and its samples are of this format.
    pub raw: Option<RawFormat>,
    /// Have the `ffmpeg` on the search path decode what is not supported here.
    pub ffmpeg: bool,
}

/// Which channel of a recording is heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Channel {
    /// All, mixed to one as ffmpeg mixes them.
    #[default]
    Mix,
    /// The first channel.
    Left,
    /// The second channel; the only one where there is no second.
    Right,
}

impl Channel {
    /// Place of the channel among `count`, if it is one alone.
    pub(super) fn index(self, count: usize) -> Option<usize> {
        match self {
            Channel::Mix => None,
            Channel::Left => Some(0),
            Channel::Right => Some(1.min(count.saturating_sub(1))),
        }
    }
}

impl FromStr for Channel {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "mix" => Ok(Channel::Mix),
            "left" => Ok(Channel::Left),
            "right" => Ok(Channel::Right),
            _ => Err("write mix, left or right".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written() {
        let options = AudioOptions {
            channel: Channel::Left,
            raw: Some("s24le,44100,2".parse().unwrap()),
            ffmpeg: true,
        };
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(
            text,
            r#"{"channel":"left","raw":"s24le,44100,2","ffmpeg":true}"#
        );
        assert_eq!(
            serde_json::from_str::<AudioOptions>(&text).unwrap(),
            options
        );
        let default: AudioOptions = serde_json::from_str("{}").unwrap();
        assert_eq!(default, AudioOptions::default());
        for (wrong, says) in [
            (r#"{"raw": "s16be,16000,1"}"#, "no known sample type"),
            (r#"{"canal": "left"}"#, "unknown field `canal`"),
        ] {
            let error = serde_json::from_str::<AudioOptions>(wrong).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
