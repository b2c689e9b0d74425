//! TOML to tree, with the spans of the `toml` crate.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Node, Source, Value};
use crate::error::PolicyError;

pub(super) fn parse<'i>(source: &Source<'i>) -> Result<Vec<Entry<'i>>, PolicyError> {
    match DeTable::parse(source.text) {
        Ok(table) => Ok(entries(table.into_inner())),
        Err(error) => Err(source.syntax(error.message(), &error.span().unwrap_or(0..0))),
    }
}

fn entries(table: DeTable<'_>) -> Vec<Entry<'_>> {
    let mut list: Vec<_> = table
        .into_iter()
        .map(|(name, value)| Entry { at: name.span(), name: name.into_inner(), node: node(value) })
        .collect();
    list.sort_by_key(|entry| entry.at.start);
    list
}

fn node(value: Spanned<DeValue<'_>>) -> Node<'_> {
    let at = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or(Value::Other("a number beyond 64 bits"), Value::Int)
        }
        DeValue::Array(items) => Value::List(items.into_iter().map(node).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { at, value }
}
