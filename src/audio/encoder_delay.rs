//! Samples that an encoder puts in front of the sound, where the decoder does not leave them out itself.
//!
//! What is left out is what ffmpeg leaves out, so that the sound begins at the same sample as in
//! openai/whisper.

use symphonia::core::meta::{Metadata, MetadataRevision, RawValue};

/// What FAAC puts in front and does not declare.
pub(super) const FAAC_DELAY: u64 = 1024;

/// The delay that iTunes and Apple's encoders write into a tag: the second of a row of hexadecimal
/// numbers.
pub(super) fn itunes_delay(metadata: &mut Metadata<'_>) -> Option<u64> {
    let revision: &MetadataRevision = metadata.skip_to_latest()?;
    let tag = revision
        .media
        .tags
        .iter()
        .find(|tag| tag.raw.key.ends_with("iTunSMPB"))?;
    match &tag.raw.value {
        RawValue::String(value) => parse_itunes(value),
        _ => None,
    }
}

fn parse_itunes(value: &str) -> Option<u64> {
    u64::from_str_radix(value.split_whitespace().nth(1)?, 16)
        .ok()
        .filter(|&delay| delay > 0)
}

/// Whether an AAC packet says that it is FAAC's: the encoder signs its first one, at any bit position.
pub(super) fn is_faac(packet: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"libfaac ";
    (0..8u32).any(|shift| {
        packet.windows(SIGNATURE.len() + 1).any(|window| {
            window.windows(2).zip(SIGNATURE).all(|(pair, &wanted)| {
                let both = u16::from_be_bytes([pair[0], pair[1]]);
                (both >> (8 - shift)) as u8 == wanted
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_is_the_second_number() {
        assert_eq!(
            parse_itunes(" 00000000 00000840 000000D4 00000000000766EC 00000000"),
            Some(2112)
        );
        assert_eq!(parse_itunes(" 00000000 00000000 000000D4"), None);
        assert_eq!(parse_itunes("00000000"), None);
        assert_eq!(parse_itunes("0 x"), None);
    }

    #[test]
    fn the_signature_is_found_at_any_bit() {
        for shift in 0..8u32 {
            let mut bits = vec![0u8; 3];
            bits.extend_from_slice(b"libfaac 1.28");
            bits.push(0);
            let shifted: Vec<u8> = bits
                .windows(2)
                .map(|pair| (u16::from_be_bytes([pair[0], pair[1]]) >> shift) as u8)
                .collect();
            assert!(is_faac(&shifted), "shifted by {shift}");
        }
        assert!(!is_faac(b"Lavc59.37.100 and more"));
        assert!(!is_faac(b"libfaac"));
    }
}
