//! CTranslate2's `model.bin`, version 6: the file that faster-whisper loads.
//!
//! All numbers are little-endian and nothing is aligned: u32 version, string spec name, u32
//! revision, u32 number of variables; each variable is string name, u8 rank, rank u32 lengths, u8
//! type, u32 number of bytes, data; then u32 number of aliases, each two strings (alias, name of
//! the variable). A string is a u16 length that counts a final NUL, then the bytes.
//!
//! No length is trusted: every one is checked against what is left of the file.

use std::collections::HashMap;
use std::path::Path;

use super::{MappedFile, Stored, StoredType, Weights, byte_length, show_shape};
use crate::error::{Error, Result};
use crate::tensor::{DType, TensorView};

const FORMAT: &str = "CTranslate2";
const VERSION: u32 = 6;
const SPEC: &str = "WhisperSpec";

/// More axes than any tensor of a speech model has; more than that is a corrupt file.
const MAX_RANK: usize = 8;

/// Whether a file begins like a `model.bin`: a small version, then the name of a model
/// specification, which by CTranslate2's custom ends in "Spec".
pub(super) fn recognise(head: &[u8]) -> bool {
    let mut reader = Reader {
        path: Path::new(""),
        bytes: head,
        at: 0,
    };
    let Ok(version) = reader.u32() else {
        return false;
    };
    let Ok(length) = reader.u16() else {
        return false;
    };
    let spec = &head[reader.at..head.len().min(reader.at + usize::from(length))];
    (1..256).contains(&version) && spec.windows(4).any(|window| window == b"Spec")
}

pub(super) fn open(path: &Path) -> Result<Weights> {
    let file = MappedFile::open(path)?;
    let variables = Variables::read(path, &file.map)?;
    let heads = match (
        variables.scalar("encoder/num_heads"),
        variables.scalar("decoder/num_heads"),
    ) {
        (Some(encoder), Some(decoder)) => Some((encoder, decoder)),
        _ => None,
    };
    let mut tensors = HashMap::new();
    for name in variables.names() {
        if let Some(target) = Target::of(name) {
            variables.split(name, &target, &mut tensors)?;
        }
    }
    Ok(Weights {
        format: FORMAT,
        files: vec![file],
        tensors,
        heads,
    })
}

/// The variables of a file by name, with its aliases.
struct Variables<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    variables: HashMap<&'a str, Stored>,
    /// Name of the variable that an alias stands for.
    aliases: HashMap<&'a str, &'a str>,
}

impl<'a> Variables<'a> {
    fn read(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader { path, bytes, at: 0 };
        let version = reader.u32()?;
        let spec = reader.string()?;
        if spec != SPEC {
            return Err(Error::UnsupportedFormat {
                path: path.into(),
                format: format!("a CTranslate2 model of kind {spec}"),
                advice: "give a Whisper model".into(),
            });
        }
        if version != VERSION {
            return Err(Error::UnsupportedFormat {
                path: path.into(),
                format: format!("a CTranslate2 model.bin of version {version}"),
                advice: format!("convert the model again, to version {VERSION}"),
            });
        }
        let _revision = reader.u32()?;

        let mut variables = HashMap::new();
        for _ in 0..reader.u32()? {
            let (name, stored) = reader.variable()?;
            if variables.insert(name, stored).is_some() {
                return Err(Error::corrupt(
                    path,
                    format!("the variable {name} is there twice"),
                ));
            }
        }
        let mut aliases = HashMap::new();
        for _ in 0..reader.u32()? {
            let alias = reader.string()?;
            aliases.insert(alias, reader.string()?);
        }
        let rest = bytes.len() - reader.at;
        if rest != 0 {
            return Err(Error::corrupt(path, format!("{rest} bytes follow its end")));
        }
        Ok(Self {
            path,
            bytes,
            variables,
            aliases,
        })
    }

    /// Names of the variables and of the aliases that lead to one.
    fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        let aliases = self
            .aliases
            .keys()
            .filter(|alias| !self.variables.contains_key(*alias));
        self.variables.keys().chain(aliases).copied()
    }

    /// A variable by its name or by an alias.
    fn get(&self, name: &str) -> Option<&Stored> {
        self.variables
            .get(name)
            .or_else(|| self.variables.get(self.aliases.get(name)?))
    }

    /// An integer scalar, such as the number of heads. Scalars differ between converter versions,
    /// so that one may be absent or of another type.
    fn scalar(&self, name: &str) -> Option<usize> {
        let stored = self.get(name)?;
        let bytes = &self.bytes[stored.range.clone()];
        let value = match *bytes {
            [a] => i32::from(i8::from_le_bytes([a])),
            [a, b] => i32::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
            _ => return None,
        };
        usize::try_from(value).ok()
    }

    /// Gives each part of a variable (rows stacked along its first axis) its canonical name.
    fn split(
        &self,
        name: &str,
        target: &Target,
        tensors: &mut HashMap<String, Stored>,
    ) -> Result<()> {
        // An alias whose variable is absent is of no use; the tensor is then found missing.
        let Some(stored) = self.get(name) else {
            return Ok(());
        };
        let parts = target.parts.len();
        let rows = stored.shape.first().copied().unwrap_or(0);
        if parts > 1 && rows % parts != 0 {
            return Err(Error::tensor(
                self.path,
                name,
                format!(
                    "has shape {}, which is not {parts} parts of equal size",
                    show_shape(&stored.shape)
                ),
            ));
        }
        let bytes = stored.range.len() / parts;
        for (index, part) in target.parts.iter().enumerate() {
            let start = stored.range.start + index * bytes;
            let mut shape = stored.shape.clone();
            if let Some(rows) = shape.first_mut() {
                *rows /= parts;
            }
            let stored = Stored {
                range: start..start + bytes,
                shape,
                ..stored.clone()
            };
            if *part == "key" && target.leaf == "bias" {
                self.check_zero(name, &stored)?;
                continue;
            }
            let separator = if part.is_empty() { "" } else { "." };
            let leaf = if target.leaf.is_empty() { "" } else { "." };
            tensors.insert(
                format!("{}{separator}{part}{leaf}{}", target.module, target.leaf),
                stored,
            );
        }
        Ok(())
    }

    /// Whisper's keys have no bias: CTranslate2 writes zeros in its place, which are dropped.
    /// Anything else there means that the bytes are not what the name says.
    fn check_zero(&self, name: &str, stored: &Stored) -> Result<()> {
        let StoredType::Read(dtype) = stored.dtype else {
            return Ok(());
        };
        let bytes = self.bytes[stored.range.clone()].into();
        let bias = TensorView {
            dtype,
            shape: stored.shape.clone(),
            bytes,
        }
        .to_f32();
        if bias.iter().any(|&value| value != 0.0) {
            return Err(Error::corrupt(
                self.path,
                format!("{name} gives the keys a bias, which Whisper's do not have"),
            ));
        }
        Ok(())
    }
}

/// Where a variable belongs: the canonical names are `module.part.leaf`, with the empty pieces
/// left out.
struct Target {
    module: String,
    parts: &'static [&'static str],
    leaf: &'static str,
}

impl Target {
    fn of(variable: &str) -> Option<Self> {
        let (side, rest) = variable.split_once('/')?;
        let whole = |module: String, leaf| {
            Some(Self {
                module,
                parts: &[""],
                leaf,
            })
        };
        match (side, rest) {
            ("encoder" | "decoder", "position_encodings/encodings") => {
                return whole(format!("{side}.positional_embedding"), "");
            }
            ("decoder", "embeddings/weight") => {
                return whole("decoder.token_embedding".into(), "weight");
            }
            _ => {}
        }
        let (module, leaf) = rest.rsplit_once('/')?;
        let leaf = match leaf {
            "weight" | "gamma" => "weight",
            "bias" | "beta" => "bias",
            _ => return None,
        };
        match (side, module) {
            ("encoder", "conv1" | "conv2") => return whole(format!("encoder.{module}"), leaf),
            ("encoder", "layer_norm") => return whole("encoder.ln_post".into(), leaf),
            ("decoder", "layer_norm") => return whole("decoder.ln".into(), leaf),
            ("encoder" | "decoder", _) => {}
            _ => return None,
        }
        let (layer, module) = module.strip_prefix("layer_")?.split_once('/')?;
        let (module, parts): (_, &[&str]) = match module {
            "self_attention/layer_norm" => ("attn_ln", &[""]),
            "self_attention/linear_0" => ("attn", &["query", "key", "value"]),
            "self_attention/linear_1" => ("attn", &["out"]),
            "attention/layer_norm" => ("cross_attn_ln", &[""]),
            "attention/linear_0" => ("cross_attn", &["query"]),
            "attention/linear_1" => ("cross_attn", &["key", "value"]),
            "attention/linear_2" => ("cross_attn", &["out"]),
            "ffn/layer_norm" => ("mlp_ln", &[""]),
            "ffn/linear_0" => ("mlp", &["0"]),
            "ffn/linear_1" => ("mlp", &["2"]),
            _ => return None,
        };
        Some(Self {
            module: format!("{side}.blocks.{layer}.{module}"),
            parts,
            leaf,
        })
    }
}

/// Reads the file front to back, never past its end.
struct Reader<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or_else(|| {
            let (at, left) = (self.at, rest.len());
            Error::corrupt(
                self.path,
                format!("{what} at byte {at} asks for {count} bytes, but only {left} are left"),
            )
        })?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, "a number")?);
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn string(&mut self) -> Result<&'a str> {
        let (at, length) = (self.at, self.u16()?);
        let bytes = self.take(usize::from(length), "a name")?;
        bytes
            .strip_suffix(b"\0")
            .and_then(|text| std::str::from_utf8(text).ok())
            .ok_or_else(|| Error::corrupt(self.path, format!("there is no name at byte {at}")))
    }

    fn variable(&mut self) -> Result<(&'a str, Stored)> {
        let name = self.string()?;
        let rank = usize::from(self.u8()?);
        if rank > MAX_RANK {
            return Err(Error::corrupt(
                self.path,
                format!("the variable {name} has {rank} axes"),
            ));
        }
        let mut shape = Vec::with_capacity(rank);
        for _ in 0..rank {
            shape.push(self.u32()? as usize);
        }
        let (dtype, element_size) = match self.u8()? {
            0 => (StoredType::Read(DType::F32), 4),
            1 => (StoredType::Unread("int8".into()), 1),
            2 => (StoredType::Unread("int16".into()), 2),
            3 => (StoredType::Unread("int32".into()), 4),
            4 => (StoredType::Read(DType::F16), 2),
            5 => (StoredType::Read(DType::BF16), 2),
            other => {
                return Err(Error::corrupt(
                    self.path,
                    format!("the variable {name} has the unknown type {other}"),
                ));
            }
        };
        let length = self.u32()? as usize;
        if byte_length(&shape, element_size) != Some(length) {
            let shape = show_shape(&shape);
            return Err(Error::corrupt(
                self.path,
                format!("the variable {name} of shape {shape} claims {length} bytes"),
            ));
        }
        let start = self.at;
        self.take(length, &format!("the variable {name}"))?;
        Ok((
            name,
            Stored {
                file: 0,
                range: start..self.at,
                dtype,
                shape,
            },
        ))
    }
}
