//! The names of an enum's variants, as its own `Deserialize` knows them.

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::CodeError;

/// Names of the variants of `T` in the order of their numbers; none when it is no enum.
pub(in super::super) fn variants<T: for<'de> Deserialize<'de>>() -> Option<&'static [&'static str]> {
    let mut asked = Asked(None);
    // It never gets a value: nothing but the names is wanted.
    match T::deserialize(&mut asked) {
        Ok(_) | Err(_) => asked.0,
    }
}

struct Asked(Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for &mut Asked {
    type Error = CodeError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CodeError> {
        Err(CodeError::Kind("a value that is no enum"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, CodeError> {
        self.0 = Some(variants);
        Err(CodeError::Kind("a value"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
