//! CTranslate2's `model.bin`, version 6: the file that faster-whisper loads.
//!
//! All numbers are little-endian and nothing is aligned: u32 version, string spec name, u32
//! revision, u32 number of variables; each variable is string name, u8 rank, rank u32 lengths, u8
//! type, u32 number of bytes, data; then u32 number of aliases, each two strings (alias, name of
//! the variable). A string is a u16 length that counts a final NUL, then the bytes.
//!
//! A variable of integers has its scales in another one, called after it: `weight_scale`.
//!
//! No length is trusted: every one is checked against what is left of the file.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::reader::Reader;
use super::{
    Data, MAX_TENSORS, MappedFile, Scales, Stored, StoredType, Weights, add, show_shape,
    too_many_tensors,
};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::tensor::TensorView;

const FORMAT: &str = "CTranslate2";
const VERSION: u32 = 6;
const SPEC: &str = "WhisperSpec";

/// More axes than any tensor of a speech model has; more than that is a corrupt file.
const MAX_RANK: usize = 8;

/// Whether a file begins like a `model.bin`: a small version, then the name of a model
/// specification, which by CTranslate2's custom ends in "Spec".
pub(super) fn recognise(head: &[u8]) -> bool {
    let mut reader = Reader::new(Path::new(""), head);
    let Ok(version) = reader.u32() else {
        return false;
    };
    let Ok(length) = reader.u16() else {
        return false;
    };
    let spec = head
        .iter()
        .skip(reader.position())
        .take(usize::from(length));
    let spec: Vec<u8> = spec.copied().collect();
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
    let mut parts = Vec::new();
    for name in variables.names() {
        if let Some(target) = Target::of(name) {
            variables.split(name, &target, &mut parts)?;
        }
    }
    let mut tensors = HashMap::new();
    add(&mut tensors, path, parts)?;
    let mut weights = Weights::new(FORMAT, vec![file], tensors);
    weights.heads = heads;
    Ok(weights)
}

/// A variable of the file.
struct Variable {
    range: Range<usize>,
    dtype: StoredType,
    shape: Vec<usize>,
}

/// The variables of a file by name, with its aliases.
struct Variables<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    variables: HashMap<&'a str, Variable>,
    /// Name of the variable that an alias stands for.
    aliases: HashMap<&'a str, &'a str>,
}

impl<'a> Variables<'a> {
    fn read(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(path, bytes);
        let version = reader.u32()?;
        let spec = string(&mut reader)?;
        if spec != SPEC {
            return Err(Error::unsupported(
                path,
                format!("a CTranslate2 model of kind {spec}"),
                "give a Whisper model",
            ));
        }
        if version != VERSION {
            return Err(Error::unsupported(
                path,
                format!("a CTranslate2 model.bin of version {version}"),
                format!("convert the model again, to version {VERSION}"),
            ));
        }
        let _revision = reader.u32()?;

        let mut variables = HashMap::new();
        for _ in 0..table_length(&mut reader)? {
            let (name, variable) = variable(&mut reader)?;
            if variables.insert(name, variable).is_some() {
                return Err(Error::corrupt(
                    path,
                    format!("the variable {name} is there twice"),
                ));
            }
        }
        let mut aliases = HashMap::new();
        for _ in 0..table_length(&mut reader)? {
            let alias = string(&mut reader)?;
            aliases.insert(alias, string(&mut reader)?);
        }
        let rest = reader.left();
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

    /// A variable by its name or by an alias, with the name that it has itself.
    fn get(&self, name: &'a str) -> Option<(&'a str, &Variable)> {
        let name = match self.variables.contains_key(name) {
            true => name,
            false => self.aliases.get(name)?,
        };
        Some((name, self.variables.get(name)?))
    }

    /// An integer scalar, such as the number of heads. Scalars differ between converter versions,
    /// so that one may be absent or of another type.
    fn scalar(&self, name: &'a str) -> Option<usize> {
        let (_, variable) = self.get(name)?;
        let bytes = &self.bytes[variable.range.clone()];
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
        name: &'a str,
        target: &Target,
        tensors: &mut Vec<(String, Stored)>,
    ) -> Result<()> {
        // An alias whose variable is absent is of no use; the tensor is then found missing.
        let Some((name, variable)) = self.get(name) else {
            return Ok(());
        };
        let parts = target.parts.len();
        let rows = variable.shape.first().copied().unwrap_or(0);
        if parts > 1 && rows % parts != 0 {
            return Err(Error::tensor(
                self.path,
                name,
                format!(
                    "has shape {}, which is not {parts} parts of equal size",
                    show_shape(&variable.shape)
                ),
            ));
        }
        let scales = self.scales(name, variable)?;
        for (index, part) in target.parts.iter().enumerate() {
            let mut shape = variable.shape.clone();
            if let Some(rows) = shape.first_mut() {
                *rows /= parts;
            }
            let stored = Stored {
                file: 0,
                data: Data::Mapped(part_of(&variable.range, index, parts)),
                dtype: variable.dtype.clone(),
                shape,
                scales: scales.as_ref().map(|scales| scales.part(index, parts)),
            };
            if *part == "key" && target.leaf == "bias" {
                self.check_zero(name, variable, part_of(&variable.range, index, parts))?;
                continue;
            }
            let separator = if part.is_empty() { "" } else { "." };
            let leaf = if target.leaf.is_empty() { "" } else { "." };
            let canonical = format!("{}{separator}{part}{leaf}{}", target.module, target.leaf);
            tensors.push((canonical, stored));
        }
        Ok(())
    }

    /// The scales of a variable of integers: one for each row of int8, one for all of int16.
    fn scales(&self, name: &str, variable: &Variable) -> Result<Option<Scales>> {
        let expected = match variable.dtype {
            StoredType::Read(DType::Int8) => variable.shape.first().copied().unwrap_or(1),
            StoredType::Read(DType::Int16) => 1,
            _ => return Ok(None),
        };
        let wrong = |what: String| Err(Error::tensor(self.path, name, what));
        let Some(scale) = self.variables.get(format!("{name}_scale").as_str()) else {
            return wrong("is of integers, but has no scales".into());
        };
        let (StoredType::Read(dtype), count) =
            (&scale.dtype, scale.shape.iter().product::<usize>())
        else {
            return wrong("has scales of a type that is not read".into());
        };
        if !dtype.is_float() || count != expected {
            return wrong(format!(
                "has {count} scales of type {dtype}, expected {expected} of a float type"
            ));
        }
        Ok(Some(Scales {
            dtype: *dtype,
            range: scale.range.clone(),
            per_row: variable.dtype == StoredType::Read(DType::Int8),
        }))
    }

    /// Whisper's keys have no bias: CTranslate2 writes zeros in its place, which are dropped.
    /// Anything else there means that the bytes are not what the name says.
    fn check_zero(&self, name: &str, variable: &Variable, range: Range<usize>) -> Result<()> {
        let StoredType::Read(dtype) = variable.dtype else {
            return Ok(());
        };
        let bias = TensorView {
            dtype,
            shape: Vec::new(),
            bytes: self.bytes[range].into(),
            scales: Vec::new(),
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

/// One of `parts` equal parts of a range.
fn part_of(range: &Range<usize>, index: usize, parts: usize) -> Range<usize> {
    let length = range.len() / parts;
    let start = range.start + index * length;
    start..start + length
}

impl Scales {
    /// The scales of one of `parts` equal parts of the rows.
    fn part(&self, index: usize, parts: usize) -> Self {
        match self.per_row {
            true => Self {
                range: part_of(&self.range, index, parts),
                ..self.clone()
            },
            false => self.clone(),
        }
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

fn string<'a>(reader: &mut Reader<'a>) -> Result<&'a str> {
    let at = reader.position();
    let length = reader.u16()?;
    let bytes = reader.take(usize::from(length), "a name")?;
    bytes
        .strip_suffix(b"\0")
        .and_then(|text| std::str::from_utf8(text).ok())
        .ok_or_else(|| reader.corrupt(format!("there is no name at byte {at}")))
}

/// How many variables or aliases follow.
fn table_length(reader: &mut Reader<'_>) -> Result<usize> {
    let count = reader.u32()? as usize;
    match count <= MAX_TENSORS {
        true => Ok(count),
        false => Err(too_many_tensors(reader.path())),
    }
}

fn variable<'a>(reader: &mut Reader<'a>) -> Result<(&'a str, Variable)> {
    let name = string(reader)?;
    let rank = usize::from(reader.u8()?);
    if rank > MAX_RANK {
        return Err(reader.corrupt(format!("the variable {name} has {rank} axes")));
    }
    let mut shape = Vec::with_capacity(rank);
    for _ in 0..rank {
        shape.push(reader.u32()? as usize);
    }
    let read = |dtype: DType| (StoredType::Read(dtype), dtype.byte_length(&shape));
    let (dtype, expected) = match reader.u8()? {
        0 => read(DType::F32),
        1 => read(DType::Int8),
        2 => read(DType::Int16),
        3 => (
            StoredType::Unread("int32".into()),
            DType::F32.byte_length(&shape),
        ),
        4 => read(DType::F16),
        5 => read(DType::BF16),
        other => {
            return Err(reader.corrupt(format!("the variable {name} has the unknown type {other}")));
        }
    };
    let length = reader.u32()? as usize;
    if expected != Some(length) {
        let shape = show_shape(&shape);
        return Err(reader.corrupt(format!(
            "the variable {name} of shape {shape} claims {length} bytes"
        )));
    }
    let range = reader.skip(length, &format!("the variable {name}"))?;
    Ok((
        name,
        Variable {
            range,
            dtype,
            shape,
        },
    ))
}
