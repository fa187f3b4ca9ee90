//! Byte-pair encoding by the ids of tokens, as tiktoken does it for openai/whisper: of all neighbours that are a token together those
//! with the lowest id are joined, until none are.

use std::ops::Range;

/// The bytes of tokens, and the tokens of bytes.
pub(super) struct BytePairs {
    /// Bytes of all tokens, one after the other.
    bytes: Vec<u8>,
    /// Where token `i` ends in `bytes`; it starts where token `i - 1` ends.
    ends: Vec<u32>,
    /// All tokens in the order of their bytes.
    sorted: Vec<u32>,
}

impl BytePairs {
    /// The tokens whose bytes lie one after the other, and end at these places.
    pub fn new(bytes: Vec<u8>, ends: Vec<u32>) -> Self {
        let mut tokens = Self {
            bytes,
            ends,
            sorted: Vec::new(),
        };
        let ids = 0..tokens.ends.len() as u32;
        // Most tokens differ in their first eight bytes.
        let first_bytes = |id| {
            let token = tokens.get(id).unwrap_or_default();
            let mut first = [0; 8];
            let len = token.len().min(first.len());
            first[..len].copy_from_slice(&token[..len]);
            u64::from_be_bytes(first)
        };
        let mut sorted: Vec<_> = ids.map(|id| (first_bytes(id), id)).collect();
        sorted.sort_unstable_by(|a, b| {
            let whole = || tokens.get(a.1).cmp(&tokens.get(b.1));
            a.0.cmp(&b.0).then_with(whole)
        });
        tokens.sorted = sorted.into_iter().map(|(_, id)| id).collect();
        tokens
    }

    /// The bytes of a token.
    pub fn get(&self, id: u32) -> Option<&[u8]> {
        let index = id as usize;
        let end = *self.ends.get(index)? as usize;
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1] as usize,
        };
        Some(&self.bytes[start..end])
    }

    /// The token of these bytes.
    pub fn id(&self, bytes: &[u8]) -> Option<u32> {
        let place =
            (self.sorted).binary_search_by(|&id| self.get(id).unwrap_or_default().cmp(bytes));
        place.ok().map(|place| self.sorted[place])
    }

    /// The tokens of a piece of text that none reaches beyond. A byte that is no token is left out.
    pub fn encode(&self, piece: &[u8]) -> Vec<u32> {
        // A vocabulary may have an empty token, which stands for no text.
        if piece.is_empty() {
            return Vec::new();
        }
        if let Some(id) = self.id(piece) {
            return vec![id];
        }
        let mut parts: Vec<Range<usize>> = (0..piece.len()).map(|i| i..i + 1).collect();
        // What each part and the next one are together.
        let joined = |parts: &[Range<usize>], i: usize| {
            let next = parts.get(i + 1)?;
            self.id(&piece[parts[i].start..next.end])
        };
        let mut pairs: Vec<Option<u32>> = (0..parts.len()).map(|i| joined(&parts, i)).collect();
        while let Some((i, _)) = lowest(&pairs) {
            parts[i].end = parts[i + 1].end;
            parts.remove(i + 1);
            pairs.remove(i + 1);
            pairs[i] = joined(&parts, i);
            if let Some(before) = i.checked_sub(1) {
                pairs[before] = joined(&parts, before);
            }
        }
        let ids = parts.into_iter().map(|part| self.id(&piece[part]));
        ids.flatten().collect()
    }
}

/// The first pair with the lowest id, and where it is.
fn lowest(pairs: &[Option<u32>]) -> Option<(usize, u32)> {
    let ids = pairs.iter().enumerate();
    let ids = ids.filter_map(|(i, id)| id.map(|id| (i, id)));
    ids.min_by_key(|&(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_pair_is_joined_first() {
        let tokens = ["a", "b", "c", "bc", "ab", "abcabcabcabc", "abcabcabc", ""];
        let ends = tokens.iter().scan(0, |end, token| {
            *end += token.len() as u32;
            Some(*end)
        });
        let pairs = BytePairs::new(tokens.concat().into_bytes(), ends.collect());
        assert_eq!(pairs.encode(b"abc"), [0, 3]);
        assert_eq!(pairs.encode(b"abab"), [4, 4]);
        assert_eq!(pairs.encode(b"ba"), [1, 0]);
        assert_eq!(pairs.encode(b"abcabcabcabc"), [5]);
        assert!(pairs.encode(b"").is_empty());
        for (id, token) in tokens.iter().enumerate() {
            assert_eq!(pairs.id(token.as_bytes()), Some(id as u32));
        }
        assert_eq!(pairs.id(b"cb"), None);
        assert_eq!(pairs.get(8), None);
    }
}
