//! Byte-pair encoding by the ids of tokens, as tiktoken does it for openai/whisper: of all neighbours that are a token together those
//! with the lowest id are joined, until none are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

    /// The first two tokens of the same bytes, if there are any.
    pub fn first_alike(&self) -> Option<(u32, u32)> {
        let mut neighbours = self.sorted.windows(2);
        let alike = neighbours.find(|pair| self.get(pair[0]) == self.get(pair[1]))?;
        Some((alike[0].min(alike[1]), alike[0].max(alike[1])))
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
        Parts::of_bytes(self, piece).joined()
    }
}

/// A piece of text in parts, which are joined until no two neighbours are a token together: in `O(n log n)` of its length, since a text
/// may be one long piece.
struct Parts<'a> {
    tokens: &'a BytePairs,
    piece: &'a [u8],
    /// Where the part that begins here ends; 0 where none does.
    ends: Vec<usize>,
    /// Where the part before the one that begins here begins.
    before: Vec<usize>,
    /// Neighbours that are a token together, the lowest first and of equals the first in the piece. They stay when one of them is joined to
    /// another part.
    pairs: BinaryHeap<Reverse<Pair>>,
}

/// Two neighbours, in the order in which they are joined.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    /// The token that they are together.
    id: u32,
    start: usize,
    middle: usize,
    end: usize,
}

impl<'a> Parts<'a> {
    /// Every byte is a part.
    fn of_bytes(tokens: &'a BytePairs, piece: &'a [u8]) -> Self {
        let mut parts = Self {
            tokens,
            piece,
            ends: (1..=piece.len()).collect(),
            before: (0..piece.len()).map(|i| i.saturating_sub(1)).collect(),
            pairs: BinaryHeap::new(),
        };
        (0..piece.len()).for_each(|start| parts.pair(start));
        parts
    }

    /// The tokens of the parts when all are joined that can be.
    fn joined(mut self) -> Vec<u32> {
        while let Some(Reverse(pair)) = self.pairs.pop() {
            if self.ends[pair.start] == pair.middle && self.ends[pair.middle] == pair.end {
                self.join(&pair);
            }
        }
        let mut ids = Vec::new();
        let mut start = 0;
        while start < self.piece.len() {
            let end = self.ends[start];
            ids.extend(self.tokens.id(&self.piece[start..end]));
            start = end;
        }
        ids
    }

    fn join(
        &mut self,
        &Pair {
            start, middle, end, ..
        }: &Pair,
    ) {
        self.ends[start] = end;
        self.ends[middle] = 0;
        if let Some(before) = self.before.get_mut(end) {
            *before = start;
        }
        self.pair(start);
        if start > 0 {
            self.pair(self.before[start]);
        }
    }

    /// Notes the part that begins at `start` with the next one, if they are a token together.
    fn pair(&mut self, start: usize) {
        let middle = self.ends[start];
        let Some(&end) = self.ends.get(middle) else {
            return;
        };
        if let Some(id) = self.tokens.id(&self.piece[start..end]) {
            self.pairs.push(Reverse(Pair {
                id,
                start,
                middle,
                end,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens of these texts, numbered in their order.
    fn tokens(texts: &[&str]) -> BytePairs {
        let ends = texts.iter().scan(0, |end, text| {
            *end += text.len() as u32;
            Some(*end)
        });
        BytePairs::new(texts.concat().into_bytes(), ends.collect())
    }

    /// The same in the plainest way: all neighbours are looked at before each join.
    fn encoded_plainly(tokens: &BytePairs, piece: &[u8]) -> Vec<u32> {
        if let Some(id) = tokens.id(piece) {
            return vec![id];
        }
        let mut parts: Vec<Vec<u8>> = piece.iter().map(|&byte| vec![byte]).collect();
        let together = |pair: &[Vec<u8>]| tokens.id(&pair.concat());
        while let Some((_, i)) = (parts.windows(2).enumerate())
            .filter_map(|(i, pair)| Some((together(pair)?, i)))
            .min()
        {
            let next = parts.remove(i + 1);
            parts[i].extend(next);
        }
        parts.iter().filter_map(|part| tokens.id(part)).collect()
    }

    #[test]
    fn any_piece_is_joined_as_in_the_plainest_way() {
        let texts = [
            "a", "b", "c", "aa", "ab", "bc", "ca", "aaa", "abc", "bca", "aaaa", "cab", "abca",
            "cabc",
        ];
        let mut random = 1_u64;
        let mut below = |n: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % n
        };
        for _ in 0..3000 {
            // Ids in any order, as the lowest id need not be the shortest text.
            let mut texts = texts;
            (1..texts.len())
                .rev()
                .for_each(|i| texts.swap(i, below(i + 1)));
            let tokens = tokens(&texts);
            // "d" is no token, and is left out.
            let piece: Vec<u8> = (0..below(24))
                .map(|_| b"aabbccaabbccd"[below(13)])
                .collect();
            let plainly = if piece.is_empty() {
                Vec::new()
            } else {
                encoded_plainly(&tokens, &piece)
            };
            assert_eq!(tokens.encode(&piece), plainly, "{piece:?} by {texts:?}");
        }
    }

    #[test]
    fn a_long_piece_takes_no_longer_than_it_is_long() {
        // Minutes, if every join looked at all the parts.
        let tokens = tokens(&["a", "b", "aa", "ab", "aaaa"]);
        assert_eq!(tokens.encode(&b"a".repeat(1 << 20)).len(), 1 << 18);
    }

    #[test]
    fn the_lowest_pair_is_joined_first() {
        let texts = ["a", "b", "c", "bc", "ab", "abcabcabcabc", "abcabcabc", ""];
        let pairs = tokens(&texts);
        assert_eq!(pairs.encode(b"abc"), [0, 3]);
        assert_eq!(pairs.encode(b"abab"), [4, 4]);
        assert_eq!(pairs.encode(b"ba"), [1, 0]);
        assert_eq!(pairs.encode(b"abcabcabcabc"), [5]);
        assert!(pairs.encode(b"").is_empty());
        for (id, text) in texts.iter().enumerate() {
            assert_eq!(pairs.id(text.as_bytes()), Some(id as u32));
        }
        assert_eq!(pairs.id(b"cb"), None);
        assert_eq!(pairs.first_alike(), None);
        assert_eq!(tokens(&["b", "a", "c", "a"]).first_alike(), Some((1, 3)));
        assert_eq!(pairs.get(8), None);
    }
}
