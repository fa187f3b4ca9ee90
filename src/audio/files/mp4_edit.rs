//! The edit list of MP4 files: where in a track its sound begins.
//!
//! AAC encoders put silence in front (priming), and MP4 says by an edit list how much of it players
//! leave out. symphonia reads past that list, so it is read here (ISO/IEC 14496-12, 8.6.6).

use std::io::{self, Read, Seek, SeekFrom};

/// Where a track's sound begins.
#[derive(Debug, PartialEq)]
pub(super) struct TrackStart {
    /// The track's number in its header.
    pub(super) track: u32,
    /// Ticks to leave out.
    pub(super) ticks: u64,
    /// Ticks in a second.
    pub(super) timescale: u32,
}

/// Boxes that are looked at before a file is given up on.
const MAX_BOXES: usize = 10_000;

/// Edits of a track that are looked at.
const MAX_EDITS: u32 = 16;

/// The starts of all tracks with an edit list that leaves something out. A file that is no MP4 or is
/// broken has none: the decoder will say what is wrong with it.
pub(super) fn track_starts(file: &mut (impl Read + Seek)) -> io::Result<Vec<TrackStart>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut walk = Walk {
        file,
        boxes: 0,
        tracks: Vec::new(),
    };
    // What was found before a broken box counts.
    let _ = walk.boxes_between(0, end);
    let tracks = walk.tracks;
    Ok(tracks.into_iter().filter_map(Track::start).collect())
}

/// What is known of a track.
#[derive(Default)]
struct Track {
    number: Option<u32>,
    timescale: Option<u32>,
    media_time: Option<u64>,
}

impl Track {
    fn start(self) -> Option<TrackStart> {
        let timescale = self.timescale.filter(|&timescale| timescale > 0)?;
        let ticks = self.media_time.filter(|&ticks| ticks > 0)?;
        Some(TrackStart {
            track: self.number?,
            ticks,
            timescale,
        })
    }
}

struct Walk<'a, F> {
    file: &'a mut F,
    boxes: usize,
    tracks: Vec<Track>,
}

impl<F: Read + Seek> Walk<'_, F> {
    /// Visits the boxes from byte `position` to byte `end`.
    fn boxes_between(&mut self, mut position: u64, end: u64) -> io::Result<()> {
        while position + 8 <= end && self.boxes < MAX_BOXES {
            self.boxes += 1;
            self.file.seek(SeekFrom::Start(position))?;
            let mut size = u64::from(self.u32()?);
            let kind: [u8; 4] = self.bytes()?;
            let mut header = 8;
            if size == 1 {
                size = self.u64()?;
                header = 16;
            } else if size == 0 {
                size = end - position;
            }
            let next = position.saturating_add(size);
            if size < header || next > end {
                return Ok(());
            }
            self.visit(kind, position + header, next)?;
            position = next;
        }
        Ok(())
    }

    fn visit(&mut self, kind: [u8; 4], start: u64, end: u64) -> io::Result<()> {
        match &kind {
            b"moov" | b"mdia" | b"edts" => self.boxes_between(start, end),
            b"trak" => {
                self.tracks.push(Track::default());
                self.boxes_between(start, end)
            }
            b"tkhd" => {
                // Creation and modification time come first: 4 bytes each, or 8 in version 1.
                let skipped = if self.version()? == 1 { 16 } else { 8 };
                self.file.seek_relative(skipped)?;
                let number = self.u32()?;
                self.track(|track| track.number = Some(number));
                Ok(())
            }
            b"mdhd" => {
                let skipped = if self.version()? == 1 { 16 } else { 8 };
                self.file.seek_relative(skipped)?;
                let timescale = self.u32()?;
                self.track(|track| track.timescale = Some(timescale));
                Ok(())
            }
            b"elst" => self.edit_list(),
            _ => Ok(()),
        }
    }

    /// The first edit that plays something says where the sound begins; those before it are pauses.
    fn edit_list(&mut self) -> io::Result<()> {
        let version = self.version()?;
        for _ in 0..self.u32()?.min(MAX_EDITS) {
            let media_time = if version == 1 {
                self.u64()?;
                self.u64()? as i64
            } else {
                self.u32()?;
                i64::from(self.u32()? as i32)
            };
            self.u32()?;
            if let Ok(media_time) = u64::try_from(media_time) {
                self.track(|track| track.media_time = Some(media_time));
                break;
            }
        }
        Ok(())
    }

    fn track(&mut self, set: impl FnOnce(&mut Track)) {
        if let Some(track) = self.tracks.last_mut() {
            set(track);
        }
    }

    /// The version of a full box; its flags are passed over.
    fn version(&mut self) -> io::Result<u8> {
        let [version, ..] = self.bytes::<4>()?;
        Ok(version)
    }

    fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> io::Result<u64> {
        Ok(u64::from_be_bytes(self.bytes()?))
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut out = (content.len() as u32 + 8).to_be_bytes().to_vec();
        out.extend_from_slice(kind);
        out.extend_from_slice(content);
        out
    }

    fn track(number: u32, timescale: u32, edits: &[i32]) -> Vec<u8> {
        let header = |value: u32| [&[0; 12], &value.to_be_bytes()[..], &[0; 8]].concat();
        let mut list = [0u32, edits.len() as u32].map(u32::to_be_bytes).concat();
        for media_time in edits {
            list.extend_from_slice(&[0, 0, 0, 9]);
            list.extend_from_slice(&media_time.to_be_bytes());
            list.extend_from_slice(&[0, 1, 0, 0]);
        }
        let edits = boxed(b"edts", &boxed(b"elst", &list));
        let media = boxed(b"mdia", &boxed(b"mdhd", &header(timescale)));
        boxed(
            b"trak",
            &[boxed(b"tkhd", &header(number)), edits, media].concat(),
        )
    }

    fn starts(bytes: Vec<u8>) -> Vec<TrackStart> {
        track_starts(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn the_first_edit_that_plays_counts() {
        let movie = [
            track(3, 48_000, &[-1, 1024]),
            track(4, 44_100, &[0]),
            track(7, 44_100, &[2112, 5]),
        ]
        .concat();
        let file = [
            boxed(b"ftyp", b"M4A "),
            boxed(b"mdat", &[1; 99]),
            boxed(b"moov", &movie),
        ]
        .concat();
        assert_eq!(
            starts(file),
            [
                TrackStart {
                    track: 3,
                    ticks: 1024,
                    timescale: 48_000
                },
                TrackStart {
                    track: 7,
                    ticks: 2112,
                    timescale: 44_100
                }
            ]
        );
    }

    #[test]
    fn broken_files_have_no_edits() {
        let file = boxed(b"moov", &track(1, 44_100, &[1024]));
        assert_eq!(starts(file.clone()).len(), 1);
        for length in 0..file.len() {
            assert!(starts(file[..length].to_vec()).is_empty(), "{length} bytes");
        }
        assert!(starts(vec![0xff; 1000]).is_empty());
        // A box of size 0 reaches to the end, so this one contains nothing but itself.
        assert!(starts(boxed(b"moov", &[0; 64])).is_empty());
        assert!(starts(boxed(b"moov", &track(1, 0, &[1024]))).is_empty());
    }
}
