//! Values to bytes.

use serde::Serialize;
use serde::ser::{
    SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};

use super::CodeError;
use super::entries::Entries;

type Done = Result<(), CodeError>;

/// Collects the bytes.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    pub(super) bytes: Vec<u8>,
}

impl Encoder {
    fn number(&mut self, value: impl Into<u128>) -> Done {
        let mut left: u128 = value.into();
        loop {
            let seven = u8::try_from(left & 0x7F).unwrap_or(0);
            left >>= 7;
            if left == 0 {
                self.bytes.push(seven);
                return Ok(());
            }
            self.bytes.push(seven | 0x80);
        }
    }

    /// Small numbers of either sign stay short.
    fn signed(&mut self, value: impl Into<i128>) -> Done {
        let value: i128 = value.into();
        self.number((value << 1).cast_unsigned() ^ (value >> 127).cast_unsigned())
    }

    fn length(&mut self, len: usize) -> Done {
        self.number(u64::try_from(len).unwrap_or(u64::MAX))
    }

    /// A byte stands for a value without parts, as for a unit.
    fn parts(&mut self, len: usize) -> Result<&mut Self, CodeError> {
        if len == 0 {
            self.byte(0)?;
        }
        Ok(self)
    }

    fn byte(&mut self, byte: u8) -> Done {
        self.bytes.push(byte);
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> Done {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

impl<'a> Serializer for &'a mut Encoder {
    type Ok = ();
    type Error = CodeError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Done {
        self.byte(u8::from(value))
    }

    fn serialize_i8(self, value: i8) -> Done {
        self.byte(value.cast_unsigned())
    }

    fn serialize_i16(self, value: i16) -> Done {
        self.signed(value)
    }

    fn serialize_i32(self, value: i32) -> Done {
        self.signed(value)
    }

    fn serialize_i64(self, value: i64) -> Done {
        self.signed(value)
    }

    fn serialize_i128(self, value: i128) -> Done {
        self.signed(value)
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.byte(value)
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.number(value)
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.number(value)
    }

    fn serialize_u64(self, value: u64) -> Done {
        self.number(value)
    }

    fn serialize_u128(self, value: u128) -> Done {
        self.number(value)
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.raw(&value.to_le_bytes())
    }

    fn serialize_f64(self, value: f64) -> Done {
        self.raw(&value.to_le_bytes())
    }

    fn serialize_char(self, value: char) -> Done {
        self.number(u32::from(value))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.length(value.len())?;
        self.raw(value)
    }

    fn serialize_none(self) -> Done {
        self.byte(0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.byte(1)?;
        value.serialize(self)
    }

    /// One byte, so that a list of units is as long as it says.
    fn serialize_unit(self) -> Done {
        self.byte(0)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.byte(0)
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Done {
        self.number(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.number(index)?;
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, CodeError> {
        self.length(len.ok_or(CodeError::Kind("a list of unknown length"))?)?;
        Ok(self)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self, CodeError> {
        self.parts(len)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Self, CodeError> {
        self.parts(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, CodeError> {
        self.number(index)?;
        Ok(self)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Entries<'a>, CodeError> {
        self.length(len.ok_or(CodeError::Kind("a map of unknown length"))?)?;
        Ok(Entries::of(self))
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Self, CodeError> {
        self.parts(len)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, CodeError> {
        self.number(index)?;
        Ok(self)
    }
}

/// Parts of a compound value follow one another.
macro_rules! one_after_the_other {
    ($($compound:ident . $method:ident ( $($name:ty)? )),*) => { $(
        impl $compound for &mut Encoder {
            type Ok = ();
            type Error = CodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Done {
                value.serialize(&mut **self)
            }

            fn end(self) -> Done {
                Ok(())
            }
        }
    )* };
}

one_after_the_other!(
    SerializeSeq.serialize_element(),
    SerializeTuple.serialize_element(),
    SerializeTupleStruct.serialize_field(),
    SerializeTupleVariant.serialize_field(),
    SerializeStruct.serialize_field(&'static str),
    SerializeStructVariant.serialize_field(&'static str)
);
