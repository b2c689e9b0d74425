//! Bytes to values. Reads what a hostile process wrote: nothing here trusts, allocates ahead, or panics.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{CodeError, DEEPEST};

type Out<T> = Result<T, CodeError>;

/// Bytes that are yet to be read.
#[derive(Debug)]
pub(super) struct Decoder<'de> {
    bytes: &'de [u8],
    depth: u32,
    /// How many bytes of memory the values may still take.
    room: usize,
}

/// The number that a message begins with: of an enum, its variant.
pub(in super::super) fn first_number(bytes: &[u8]) -> Option<u64> {
    Decoder::new(bytes, 0).number(64).ok().and_then(|number| u64::try_from(number).ok())
}

impl<'de> Decoder<'de> {
    pub(super) fn new(bytes: &'de [u8], room: usize) -> Self {
        Self { bytes, depth: 0, room }
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    fn take(&mut self, len: usize) -> Out<&'de [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(CodeError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Out<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk().ok_or(CodeError::Short)?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Out<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Of at most so many bits, in its shortest form.
    fn number(&mut self, bits: u32) -> Out<u128> {
        let (mut value, mut shift) = (0_u128, 0);
        loop {
            let byte = self.byte()?;
            // `bits` is 128 at most: no shift below is wider than the value.
            if shift >= bits {
                return Err(CodeError::Number);
            }
            let seven = u128::from(byte & 0x7F);
            let shifted = seven << shift;
            if shifted >> shift != seven || (byte == 0 && shift > 0) {
                return Err(CodeError::Number);
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                let fits = bits >= 128 || value >> bits == 0;
                return if fits { Ok(value) } else { Err(CodeError::Number) };
            }
            shift += 7;
        }
    }

    fn unsigned<T: TryFrom<u128>>(&mut self) -> Out<T> {
        let bits = u32::try_from(size_of::<T>() * 8).unwrap_or(128);
        T::try_from(self.number(bits)?).map_err(|_| CodeError::Number)
    }

    fn signed<T: TryFrom<i128>>(&mut self) -> Out<T> {
        let bits = u32::try_from(size_of::<T>() * 8).unwrap_or(128);
        let zigzag = self.number(bits)?;
        let value = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        T::try_from(value).map_err(|_| CodeError::Number)
    }

    /// A length of things that take a byte each at least.
    fn length(&mut self) -> Out<usize> {
        let length: u64 = self.unsigned()?;
        let fits = usize::try_from(length).ok().filter(|length| *length <= self.bytes.len());
        fits.ok_or(CodeError::Length(length))
    }

    fn text(&mut self) -> Out<&'de str> {
        let len = self.length()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| CodeError::Malformed("a text"))
    }

    /// Reads something nested.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Out<T>) -> Out<T> {
        if self.depth >= DEEPEST {
            return Err(CodeError::Deep);
        }
        self.depth += 1;
        let done = self.lay::<T>().and_then(|()| read(self));
        self.depth -= 1;
        done
    }

    /// The parts of a compound value. Where there are none a byte stands for it, as for a unit.
    fn fields<V: Visitor<'de>>(&mut self, count: usize, visitor: V) -> Out<V::Value> {
        if count == 0 && self.byte()? != 0 {
            return Err(CodeError::Malformed("a unit"));
        }
        self.parts(count, visitor)
    }

    /// Takes memory for a value.
    fn lay<T>(&mut self) -> Out<()> {
        self.room = self.room.checked_sub(size_of::<T>()).ok_or(CodeError::Room)?;
        Ok(())
    }

    fn parts<V: Visitor<'de>>(&mut self, count: usize, visitor: V) -> Out<V::Value> {
        self.within(|decoder| {
            let mut parts = Parts { decoder, left: count, key: None };
            let value = visitor.visit_seq(&mut parts)?;
            // A list whose reader stops early is no list of that type.
            if parts.left == 0 { Ok(value) } else { Err(CodeError::Malformed("a list")) }
        })
    }
}

/// Things that follow one another.
struct Parts<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    left: usize,
    /// Of a map, the bytes of the last key.
    key: Option<&'de [u8]>,
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = CodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Out<Option<T::Value>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.decoder).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = CodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Out<Option<K::Value>> {
        let before = self.decoder.bytes;
        let Some(key) = self.next_element_seed(seed)? else { return Ok(None) };
        let bytes = before.get(..before.len().saturating_sub(self.decoder.bytes.len()));
        if self.key >= bytes {
            return Err(CodeError::Order);
        }
        self.key = bytes;
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Out<V::Value> {
        seed.deserialize(&mut *self.decoder)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> EnumAccess<'de> for &mut Decoder<'de> {
    type Error = CodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Out<(V::Value, Self)> {
        let index: u32 = self.unsigned()?;
        let value = seed.deserialize(IntoDeserializer::<CodeError>::into_deserializer(index))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Decoder<'de> {
    type Error = CodeError;

    fn unit_variant(self) -> Out<()> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Out<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Out<V::Value> {
        self.parts(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Out<V::Value> {
        self.parts(fields.len(), visitor)
    }
}

macro_rules! plain {
    ($($method:ident, $visit:ident, $read:expr;)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
            let read: fn(&mut Decoder<'de>) -> Out<_> = $read;
            self.lay::<V::Value>()?;
            visitor.$visit(read(self)?)
        }
    )* };
}

macro_rules! refused {
    ($($method:ident, $what:literal;)*) => { $(
        fn $method<V: Visitor<'de>>(self, _: V) -> Out<V::Value> {
            Err(CodeError::Kind($what))
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = CodeError;

    fn is_human_readable(&self) -> bool {
        false
    }

    plain! {
        deserialize_i8, visit_i8, |decoder| Ok(decoder.byte()?.cast_signed());
        deserialize_i16, visit_i16, Decoder::signed;
        deserialize_i32, visit_i32, Decoder::signed;
        deserialize_i64, visit_i64, Decoder::signed;
        deserialize_i128, visit_i128, Decoder::signed;
        deserialize_u8, visit_u8, Decoder::byte;
        deserialize_u16, visit_u16, Decoder::unsigned;
        deserialize_u32, visit_u32, Decoder::unsigned;
        deserialize_u64, visit_u64, Decoder::unsigned;
        deserialize_u128, visit_u128, Decoder::unsigned;
        deserialize_f32, visit_f32, |decoder| decoder.array().map(f32::from_le_bytes);
        deserialize_f64, visit_f64, |decoder| decoder.array().map(f64::from_le_bytes);
        deserialize_str, visit_borrowed_str, Decoder::text;
        deserialize_string, visit_borrowed_str, Decoder::text;
    }

    refused! {
        deserialize_any, "a value that describes itself";
        deserialize_identifier, "a field by its name";
        deserialize_ignored_any, "a value that nobody reads";
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(CodeError::Malformed("a truth value")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        let number: u32 = self.unsigned()?;
        visitor.visit_char(char::from_u32(number).ok_or(CodeError::Malformed("a character"))?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        let len = self.length()?;
        self.lay::<V::Value>()?;
        visitor.visit_borrowed_bytes(self.take(len)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        match self.byte()? {
            0 => self.lay::<V::Value>().and_then(|()| visitor.visit_none()),
            1 => self.within(|decoder| visitor.visit_some(decoder)),
            _ => Err(CodeError::Malformed("an option")),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        match self.byte()? {
            0 => visitor.visit_unit(),
            _ => Err(CodeError::Malformed("a unit")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Out<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Out<V::Value> {
        self.within(|decoder| visitor.visit_newtype_struct(decoder))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        let count = self.length()?;
        self.parts(count, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Out<V::Value> {
        self.fields(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Out<V::Value> {
        self.fields(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Out<V::Value> {
        let count = self.length()?;
        self.within(|decoder| {
            let mut parts = Parts { decoder, left: count, key: None };
            let value = visitor.visit_map(&mut parts)?;
            if parts.left == 0 { Ok(value) } else { Err(CodeError::Malformed("a map")) }
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Out<V::Value> {
        self.fields(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Out<V::Value> {
        self.within(|decoder| visitor.visit_enum(decoder))
    }
}
