//! How much memory a pickle takes when it is read, found before it is read.
//!
//! A pickle is a program for a stack machine. It can fetch what it made before as often as it likes, so that a few bytes
//! stand for any amount of objects, and a byte is enough for an object. The reader copies what is fetched, and its own
//! limits are those of large files. Here the program is run with sizes in the place of objects: what it would take is an
//! upper bound of what the reader takes (`Lib/pickletools.py` of CPython lists the opcodes).

use std::collections::HashMap;
use std::io::{BufRead, Read};

/// What an object takes beside its text: its places in stack, memo and tree, which double as they grow.
const OBJECT: u64 = 256;

/// Text that is remembered is held twice while it grows.
const TEXT: u64 = 2;

/// Pickles in a file of the format before PyTorch 1.6: magic number, protocol, system, tensors, keys of the storages.
pub(super) const MOST_PICKLES: usize = 5;

/// What an object would take with all that is in it.
#[derive(Clone, Copy, Default)]
struct Size {
    objects: u64,
    /// Bytes of text and of numbers of any length.
    text: u64,
    /// Memory in bytes.
    bytes: u64,
}

impl Size {
    fn scalar(text: u64) -> Self {
        Self {
            objects: 1,
            text,
            bytes: OBJECT + TEXT * text,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            objects: self.objects.saturating_add(other.objects),
            text: self.text.saturating_add(other.text),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// An object on the stack or in the memo.
#[derive(Clone, Copy, Default)]
struct Entry {
    size: Size,
    /// Its place in the memo, which is kept in step with what the object is given later.
    memo: Option<u32>,
}

/// Why the program was not followed to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It would take more than was allowed.
    TooMuch,
    /// The reader has a better message for what is wrong.
    Malformed,
}

impl From<std::io::Error> for Stopped {
    fn from(_: std::io::Error) -> Self {
        Self::Malformed
    }
}

/// Follows one pickle up to its end, and takes what it costs from `allowance`.
pub(super) fn charge(pickle: &mut impl BufRead, allowance: &mut u64) -> Result<(), Stopped> {
    Machine {
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        allowance,
    }
    .run(pickle)
}

struct Machine<'a> {
    stack: Vec<Entry>,
    marks: Vec<usize>,
    memo: HashMap<u32, Entry>,
    allowance: &'a mut u64,
}

impl Machine<'_> {
    fn run(mut self, pickle: &mut impl BufRead) -> Result<(), Stopped> {
        loop {
            match byte(pickle)? {
                b'.' => return Ok(()),
                // The protocol, and a frame's length.
                0x80 => skip(pickle, 1)?,
                0x95 => skip(pickle, 8)?,
                // None, true, false, and what is empty.
                b'N' | 0x88 | 0x89 | b')' | b']' | b'}' | 0x8f => self.push_scalar(0)?,
                // Numbers.
                b'K' => self.push_skipped(pickle, 1)?,
                b'M' => self.push_skipped(pickle, 2)?,
                b'J' => self.push_skipped(pickle, 4)?,
                b'G' => self.push_skipped(pickle, 8)?,
                // Lines of text: numbers, strings, an id.
                b'I' | b'L' | b'F' | b'V' | b'P' => {
                    let length = line(pickle)?.len() as u64;
                    self.push_scalar(length)?;
                }
                // Text and bytes after their length.
                0x8a | b'U' | 0x8c | b'C' => self.push_text(pickle, 1)?,
                0x8b | b'X' | b'T' | b'B' => self.push_text(pickle, 4)?,
                0x8d | 0x8e | 0x96 => self.push_text(pickle, 8)?,
                // A class by two lines, and by two strings.
                b'c' => {
                    let length = line(pickle)?.len() + line(pickle)?.len();
                    self.push_scalar(length as u64)?;
                }
                0x93 => self.join(2)?,
                // Containers of what is on the stack.
                b'(' => {
                    self.spend(OBJECT)?;
                    self.marks.push(self.stack.len());
                }
                b't' | b'l' | 0x91 => {
                    let items = self.pop_to_mark();
                    self.push_made(sum(&items))?;
                }
                0x85 => self.join(1)?,
                0x86 => self.join(2)?,
                0x87 => self.join(3)?,
                b'd' => {
                    let items = self.pop_to_mark();
                    let size = self.keyed(&items)?;
                    self.push_made(size)?;
                }
                // Items for the container below them.
                b'a' => {
                    let item = self.pop();
                    self.extend(item.size);
                }
                b'e' | 0x90 => {
                    let items = self.pop_to_mark();
                    self.extend(sum(&items));
                }
                b's' => {
                    let value = self.pop();
                    let key = self.pop();
                    let size = self.keyed(&[key, value])?;
                    self.extend(size);
                }
                b'u' => {
                    let items = self.pop_to_mark();
                    let size = self.keyed(&items)?;
                    self.extend(size);
                }
                b'0' => {
                    if self.marks.last() == Some(&self.stack.len()) {
                        self.marks.pop();
                    } else {
                        self.pop();
                    }
                }
                b'1' => {
                    self.pop_to_mark();
                }
                // Copies.
                b'2' => {
                    let top = self.stack.last().copied().unwrap_or_default();
                    self.push_copy(top)?;
                }
                b'g' => {
                    let index = number(&line(pickle)?)?;
                    self.get(index)?;
                }
                b'h' => {
                    let index = byte(pickle)?;
                    self.get(index.into())?;
                }
                b'j' => {
                    let index = u32::from_le_bytes(array(pickle)?);
                    self.get(index)?;
                }
                b'p' => {
                    let index = number(&line(pickle)?)?;
                    self.put(index)?;
                }
                b'q' => {
                    let index = byte(pickle)?;
                    self.put(index.into())?;
                }
                b'r' => {
                    let index = u32::from_le_bytes(array(pickle)?);
                    self.put(index)?;
                }
                0x94 => {
                    let index = self.memo.len() as u32;
                    self.put(index)?;
                }
                // An id becomes a storage, which keeps parts of it.
                b'Q' => {}
                // Calls: what comes out holds no more than what went in. It may be a dictionary, with any of it as keys.
                b'R' => {
                    let arguments = self.pop().size;
                    let called = self.pop().size;
                    let named = self.named(arguments.text, arguments)?;
                    self.push_made(called.and(named))?;
                }
                0x81 => self.join(2)?,
                0x92 => self.join(3)?,
                // State for the object below it, and for its copy in the memo.
                b'b' => {
                    let state = self.pop();
                    let object = self.pop();
                    let size = object.size.and(state.size);
                    self.stack.push(Entry { size, memo: None });
                    if let Some(index) = object.memo {
                        self.remember(index, size)?;
                    }
                }
                _ => return Err(Stopped::Malformed),
            }
        }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Stopped> {
        *self.allowance = self.allowance.checked_sub(bytes).ok_or(Stopped::TooMuch)?;
        Ok(())
    }

    fn push_scalar(&mut self, text: u64) -> Result<(), Stopped> {
        let size = Size::scalar(text);
        self.spend(size.bytes)?;
        self.stack.push(Entry { size, memo: None });
        Ok(())
    }

    fn push_skipped(&mut self, pickle: &mut impl BufRead, bytes: u64) -> Result<(), Stopped> {
        skip(pickle, bytes)?;
        self.push_scalar(0)
    }

    /// Text after its length, a number of `width` bytes. The reader takes memory as it reads, not as the length says.
    fn push_text(&mut self, pickle: &mut impl BufRead, width: usize) -> Result<(), Stopped> {
        let mut length = [0; 8];
        pickle.read_exact(&mut length[..width])?;
        let length = u64::from_le_bytes(length);
        skip(pickle, length)?;
        self.push_scalar(length)
    }

    /// Puts a container on the stack whose items have been paid for.
    fn push_made(&mut self, items: Size) -> Result<(), Stopped> {
        self.spend(OBJECT)?;
        let size = items.and(Size::scalar(0));
        self.stack.push(Entry { size, memo: None });
        Ok(())
    }

    /// Makes one object of the topmost ones.
    fn join(&mut self, count: usize) -> Result<(), Stopped> {
        let mut size = Size::default();
        for _ in 0..count {
            size = size.and(self.pop().size);
        }
        self.push_made(size)
    }

    /// A stack that is empty is the reader's to complain of.
    fn pop(&mut self) -> Entry {
        self.stack.pop().unwrap_or_default()
    }

    fn pop_to_mark(&mut self) -> Vec<Entry> {
        let mark = self.marks.pop().unwrap_or(0).min(self.stack.len());
        self.stack.split_off(mark)
    }

    fn extend(&mut self, items: Size) {
        if let Some(top) = self.stack.last_mut() {
            top.size = top.size.and(items);
        }
    }

    /// Keys and values in turn.
    fn keyed(&mut self, items: &[Entry]) -> Result<Size, Stopped> {
        let mut size = Size::default();
        for pair in items.chunks(2) {
            let key = pair[0].size;
            let value = pair.get(1).copied().unwrap_or_default().size;
            size = size.and(key).and(self.named(key.text, value)?);
        }
        Ok(size)
    }

    /// A value under a key of this length. The name of a tensor is all the keys on the way to it, so that a key is paid for
    /// with each object below it.
    fn named(&mut self, key: u64, value: Size) -> Result<Size, Stopped> {
        let names = TEXT.saturating_mul(key).saturating_mul(value.objects);
        self.spend(names)?;
        let bytes = value.bytes.saturating_add(names);
        Ok(Size { bytes, ..value })
    }

    fn push_copy(&mut self, entry: Entry) -> Result<(), Stopped> {
        self.spend(entry.size.bytes)?;
        self.stack.push(entry);
        Ok(())
    }

    fn get(&mut self, index: u32) -> Result<(), Stopped> {
        let entry = *self.memo.get(&index).ok_or(Stopped::Malformed)?;
        self.push_copy(entry)
    }

    fn put(&mut self, index: u32) -> Result<(), Stopped> {
        let Some(top) = self.stack.last_mut() else {
            return Err(Stopped::Malformed);
        };
        top.memo = Some(index);
        let size = top.size;
        self.remember(index, size)
    }

    fn remember(&mut self, index: u32, size: Size) -> Result<(), Stopped> {
        self.spend(size.bytes)?;
        let memo = Some(index);
        self.memo.insert(index, Entry { size, memo });
        Ok(())
    }
}

fn sum(items: &[Entry]) -> Size {
    items
        .iter()
        .fold(Size::default(), |size, item| size.and(item.size))
}

fn array<const N: usize>(pickle: &mut impl BufRead) -> Result<[u8; N], Stopped> {
    let mut array = [0; N];
    pickle.read_exact(&mut array)?;
    Ok(array)
}

fn byte(pickle: &mut impl BufRead) -> Result<u8, Stopped> {
    Ok(array::<1>(pickle)?[0])
}

fn skip(pickle: &mut impl BufRead, bytes: u64) -> Result<(), Stopped> {
    let skipped = std::io::copy(&mut pickle.by_ref().take(bytes), &mut std::io::sink())?;
    if skipped < bytes {
        return Err(Stopped::Malformed);
    }
    Ok(())
}

/// The bytes up to the end of the line.
fn line(pickle: &mut impl BufRead) -> Result<Vec<u8>, Stopped> {
    let mut line = Vec::new();
    pickle.read_until(b'\n', &mut line)?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        _ => Err(Stopped::Malformed),
    }
}

/// A number in decimal, as the reader takes it.
fn number(line: &[u8]) -> Result<u32, Stopped> {
    let text = line.strip_suffix(b"\r").unwrap_or(line);
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(Stopped::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a pickle costs, up to a million bytes.
    fn cost(pickle: &[u8]) -> Result<u64, Stopped> {
        let mut allowance = 1_000_000;
        charge(&mut &*pickle, &mut allowance).map(|()| 1_000_000 - allowance)
    }

    #[test]
    fn an_object_a_copy_and_text_are_paid_for() {
        assert_eq!(cost(b"N."), Ok(OBJECT));
        // A mark, a number, a tuple.
        assert_eq!(cost(b"\x80\x02(K\x01t."), Ok(3 * OBJECT));
        // Memoised, and fetched again.
        assert_eq!(cost(b"Nq\x00h\x00."), Ok(3 * OBJECT));
        assert_eq!(cost(b"X\x03\0\0\0abc."), Ok(OBJECT + 3 * TEXT));
        assert_eq!(cost(b"V10\n."), Ok(OBJECT + 2 * TEXT));
        // The key goes before the name of the value.
        assert_eq!(cost(b"}U\x02abNs."), Ok(3 * OBJECT + 2 * 2 * TEXT));
    }

    #[test]
    fn a_copy_is_paid_for_with_all_that_is_in_it() {
        // A list of two, twice.
        let twice = cost(b"](NNeq\x00h\x00.").unwrap();
        assert_eq!(twice, (4 + 3 + 3) * OBJECT);
        // State that is set later is in the copy too.
        assert_eq!(cost(b"}q\x00}b."), Ok((2 + 1 + 2) * OBJECT));
    }

    #[test]
    fn doubling_costs_too_much() {
        let mut pickle = b"]q\x00".to_vec();
        for level in 1..30 {
            pickle.extend([
                b']',
                b'(',
                b'h',
                level - 1,
                b'h',
                level - 1,
                b'e',
                b'q',
                level,
            ]);
        }
        pickle.push(b'.');
        assert_eq!(cost(&pickle), Err(Stopped::TooMuch));
    }

    #[test]
    fn what_is_no_pickle_is_left_to_the_reader() {
        for pickle in [
            b"".as_slice(),
            b"N",
            b"\xff.",
            b"X\xff\xff\xff\xffabc",
            b"h\x07.",
            b"gx\n.",
            b"c no end",
        ] {
            assert_eq!(cost(pickle), Err(Stopped::Malformed), "{pickle:?}");
        }
        // Nothing on the stack.
        assert!(cost(b"tRb0a.").is_ok());
    }
}
