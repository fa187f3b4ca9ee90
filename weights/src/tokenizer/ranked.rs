//! A tokenizer from the text tokens alone, in order of id, as ggml files have them.
//!
//! GPT-2's vocabulary is ranked: each token is the merge of two earlier ones, and merges apply in order of id. So the pair
//! that a token was merged from is found by running BPE over its bytes with the merges before it, as tiktoken does.

use std::collections::HashMap;

use super::json;
use crate::byte_alphabet::ByteAlphabet;
use crate::dims::ModelDims;
use crate::error::Result;
use crate::special::SpecialIds;

/// The longest tokens of Whisper's vocabularies have 128 bytes. Longer ones are given no merge: finding one takes time that
/// grows with the square of the length.
const LONGEST: usize = 256;

/// The tokenizer of these text tokens.
pub(super) fn tokenizer_json(tokens: &[&[u8]], dims: &ModelDims) -> Result<Vec<u8>> {
    // Some files list the end of text and what follows with the text tokens.
    let count = SpecialIds::of(dims).map_or(tokens.len(), |ids| ids.end_of_text as usize);
    let tokens = &tokens[..count.min(tokens.len())];
    let merges = merges(tokens);
    Ok(from_merges(tokens, &merges, dims))
}

/// The tokenizer of these text tokens and the pairs of ids that they are merged from, in order.
pub(super) fn from_merges(
    tokens: &[impl AsRef<[u8]>],
    merges: &[(usize, usize)],
    dims: &ModelDims,
) -> Vec<u8> {
    let alphabet = ByteAlphabet::new();
    let written: Vec<String> = tokens
        .iter()
        .map(|token| alphabet.text(token.as_ref()))
        .collect();
    let merges: Vec<[&str; 2]> = merges
        .iter()
        .map(|&(left, right)| [written[left].as_str(), written[right].as_str()])
        .collect();
    let vocab = written.iter().map(String::as_str).zip(0..).collect();
    json::tokenizer_json(&vocab, merges, &json::special_tokens(dims))
}

/// The pair that each token is merged from, in order of id. Tokens that no merge leads to are left out.
fn merges(tokens: &[&[u8]]) -> Vec<(usize, usize)> {
    let ranks: HashMap<&[u8], usize> = tokens
        .iter()
        .enumerate()
        .map(|(rank, token)| (*token, rank))
        .collect();
    (tokens.iter().enumerate())
        .filter(|(_, token)| (2..=LONGEST).contains(&token.len()))
        .filter_map(|(rank, token)| pair(token, rank, &ranks))
        .collect()
}

/// The two tokens that are left of `token` when all merges of a lower rank have been done.
fn pair(token: &[u8], rank: usize, ranks: &HashMap<&[u8], usize>) -> Option<(usize, usize)> {
    // Starts of the parts, the end after them.
    let mut bounds: Vec<usize> = (0..=token.len()).collect();
    let rank_of = |bounds: &[usize], at: usize| -> usize {
        let (start, end) = match (bounds.get(at), bounds.get(at + 2)) {
            (Some(&start), Some(&end)) => (start, end),
            _ => return usize::MAX,
        };
        ranks
            .get(&token[start..end])
            .copied()
            .filter(|&found| found < rank)
            .unwrap_or(usize::MAX)
    };
    // Rank of the merge of each part with the next.
    let mut merged: Vec<usize> = (0..token.len()).map(|at| rank_of(&bounds, at)).collect();
    while let Some((at, &lowest)) = merged.iter().enumerate().min_by_key(|(_, rank)| **rank)
        && lowest != usize::MAX
    {
        bounds.remove(at + 1);
        merged.remove(at + 1);
        merged[at] = rank_of(&bounds, at);
        if at > 0 {
            merged[at - 1] = rank_of(&bounds, at - 1);
        }
    }
    match bounds[..] {
        [start, middle, end] => Some((
            *ranks.get(&token[start..middle])?,
            *ranks.get(&token[middle..end])?,
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::published;
    use super::*;

    /// The published merges follow from the published tokens.
    #[test]
    fn merges_are_derived_from_the_order_of_the_tokens() {
        for multilingual in [false, true] {
            let vocabulary = published::Vocabulary::read(multilingual).unwrap();
            let tokens: Vec<&[u8]> = vocabulary.tokens.iter().map(Vec::as_slice).collect();
            assert_eq!(merges(&tokens), vocabulary.merges);
        }
    }

    #[test]
    fn tokens_that_no_merge_leads_to_have_none() {
        let tokens: [&[u8]; 5] = [b"a", b"b", b"c", b"ab", b"cba"];
        assert_eq!(merges(&tokens), [(0, 1)]);
        assert_eq!(
            merges(&[b"a", b"aa", b"aaaa", b"aaa"]),
            [(0, 0), (1, 1), (1, 0)]
        );
        assert_eq!(merges(&[b"", b"xy", b"xy"]), []);
    }
}
