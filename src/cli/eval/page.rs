//! An evaluation as a page for a browser.

use std::path::Path;

use burn::tensor::Device;
use whisper_rs::compare::{Comparison, Normalizer, TimedText};
use whisper_rs::evaluate::{Clip, EvaluatedClip, Manifest};
use whisper_rs::report::{AudioPicture, ClipReport, Report};
use whisper_rs::{Audio, Error, Transcript};

use crate::cli::feedback::messages;
use crate::cli::flags::input::decoded_by_ffmpeg_too;

/// Clips whose audio is shown, the worst ones: each adds some 100 kB to the page.
const PICTURES: usize = 50;

/// The clips that are shown: those in which somebody speaks and of which it is known what was said.
#[derive(Default)]
pub struct Page {
    clips: Vec<ClipReport>,
}

impl Page {
    /// Adds a clip.
    pub fn add(&mut self, clip: &Clip, result: &EvaluatedClip, transcript: &Transcript) {
        let Some(said) = &clip.transcript else { return };
        let language = clip.language_of(transcript);
        let comparison = Comparison::new(
            &TimedText::plain(said.as_str(), clip.speech.code()),
            &TimedText::from(transcript),
            Normalizer::for_language(language),
        );
        let mut report = ClipReport::new(&clip.name, comparison);
        if let Some(speed) = result.cost.times_real_time {
            let fact = ("x real time".to_owned(), format!("{speed:.2}"));
            report.facts.push(fact);
        }
        self.clips.push(report);
    }

    /// Writes the page, with pictures of the clips that have the most errors.
    pub fn write(
        self,
        path: &Path,
        manifest: &Manifest,
        facts: Vec<(String, String)>,
        device: &Device,
    ) -> Result<(), Error> {
        let mut report = Report::new("Evaluation");
        report.facts = facts;
        report.clips = self.clips;
        let errors = |clip: &ClipReport| clip.comparison.words.errors();
        (report.clips).sort_by_key(|clip| std::cmp::Reverse(errors(clip)));
        for shown in report.clips.iter_mut().take(PICTURES) {
            let mut clips = manifest.clips.iter();
            let Some(clip) = clips.find(|clip| clip.name == shown.name) else {
                continue;
            };
            let audio = Audio::open_with(&clip.path, &decoded_by_ffmpeg_too());
            match audio.and_then(|audio| AudioPicture::new(&audio, device)) {
                Ok(picture) => shown.audio = Some(picture),
                // It was heard a while ago: the page does without.
                Err(error) => messages::warning(format!("no picture of {}: {error}", clip.name)),
            }
        }
        report.write(path)
    }
}
