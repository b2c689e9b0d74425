//! Calls by name, and what a filter says of them.
#![allow(dead_code, reason = "each test file uses a part")]

use belljar_bpf::{Action, Filter, FilterBuilder, SeccompData, constant_value, syscall_number};

pub(crate) fn constant(name: &str) -> u64 {
    constant_value(name).unwrap()
}

pub(crate) fn with(names: &[&str]) -> FilterBuilder {
    names.iter().fold(Filter::builder(), |builder, name| builder.allow_group(name).unwrap())
}

pub(crate) fn default_filter() -> Filter {
    with(&["@default"]).compile().unwrap()
}

pub(crate) fn verdict(filter: &Filter, name: &str, args: &[u64]) -> Action {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    filter.eval(&SeccompData::x86_64(syscall_number(name).unwrap(), all))
}
