//! How far a decoding came, and what it had to leave out.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::errors::Error as MediaError;

use super::failure::{describe, of_this_kind};
use super::track::Claim;

/// How far decoding came and what went wrong on the way.
#[derive(Default)]
pub(super) struct Outcome {
    /// Seconds decoded so far.
    pub(super) seconds: f64,
    pub(super) decoded_packets: usize,
    skipped_packets: usize,
    /// Where the first skipped packet was, and what was wrong with it.
    first_skipped: Option<(f64, String)>,
    /// How many of the skipped packets use what the decoder lacks, and what that is.
    unsupported: Option<(usize, String)>,
    /// Why decoding ended before the end.
    pub(super) stopped: Option<String>,
    /// The length in seconds that the header claims, where much less was there.
    missing: Option<f64>,
    /// Whether the last thing the container asked for was a new decoder.
    pub(super) reset: bool,
}

impl Outcome {
    pub(super) fn skip(&mut self, reason: String) {
        self.skipped_packets += 1;
        let seconds = self.seconds;
        self.first_skipped.get_or_insert((seconds, reason));
    }

    /// Counts a packet that uses what the decoder lacks.
    pub(super) fn skip_unsupported(&mut self, codec: AudioCodecId, error: &MediaError) {
        self.skip(describe(error));
        let (packets, _) =
            (self.unsupported).get_or_insert_with(|| (0, of_this_kind(codec, error)));
        *packets += 1;
    }

    /// Why the stream is of a kind that is not supported. Damage makes a packet now and then look so; of a stream that is so
    /// too much would be left out.
    pub(super) fn unsupported(&mut self) -> Option<String> {
        let packets = self.decoded_packets + self.skipped_packets;
        let (_, reason) =
            (self.unsupported).take_if(|(unsupported, _)| *unsupported * 100 >= packets)?;
        Some(reason)
    }

    /// Compares what was decoded with what the header claims.
    pub(super) fn compare(&mut self, claimed: &Claim) {
        match *claimed {
            Claim::Endless => self.stopped = None,
            // A packet or two may be missing at the end of any compressed file.
            Claim::Seconds(claimed) if self.stopped.is_none() && self.seconds + 0.1 < claimed => {
                self.missing = Some(claimed);
            }
            Claim::Seconds(_) | Claim::Unknown => {}
        }
    }

    /// What was wrong, one line each; or why nothing came of it at all.
    pub(super) fn warnings(self) -> Result<Vec<String>, String> {
        if self.decoded_packets == 0 {
            let reason = self
                .first_skipped
                .map(|(_, reason)| reason)
                .or(self.stopped);
            return match reason {
                Some(reason) => Err(format!("nothing in it can be decoded ({reason})")),
                None => Ok(Vec::new()),
            };
        }
        let skipped = self.first_skipped.map(|(seconds, reason)| {
            let packets = if self.skipped_packets == 1 {
                "packet"
            } else {
                "packets"
            };
            format!(
                "{} broken {packets} left out, the first at {seconds:.1} s: {reason}",
                self.skipped_packets
            )
        });
        let stopped = self
            .stopped
            .map(|reason| format!("decoding stopped at {:.1} s: {reason}", self.seconds));
        let missing = self.missing.map(|claimed| {
            format!(
                "cut off or damaged: {:.1} s of the {claimed:.1} s that its header claims",
                self.seconds
            )
        });
        Ok(skipped.into_iter().chain(stopped).chain(missing).collect())
    }
}
