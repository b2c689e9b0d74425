//! The filter of `@default`: what gets through, what is refused, and what it costs.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use belljar_bpf::{Action, Filter, SeccompData, constant_value, disassemble, syscall_number};

fn nr(name: &str) -> u32 {
    syscall_number(name).unwrap()
}

fn constant(name: &str) -> u64 {
    constant_value(name).unwrap()
}

fn default_filter() -> Filter {
    Filter::builder().allow_group("@default").unwrap().compile().unwrap()
}

fn verdict(filter: &Filter, name: &str, args: &[u64]) -> Action {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    filter.eval(&SeccompData::x86_64(nr(name), all))
}

#[test]
fn is_small_and_shallow() {
    let filter = default_filter();
    let len = filter.insns().len();
    assert!(len < 700, "{len} instructions\n{}", disassemble(&filter));
    for number in 0..600 {
        let (_, steps) = filter.trace(&SeccompData::x86_64(number, [0; 6]));
        assert!(steps <= 60, "call {number}: {steps} steps");
    }
}

#[test]
fn terminal_injection_is_refused_whatever_the_upper_half() {
    let filter = default_filter();
    for name in ["TIOCSTI", "TIOCLINUX", "TIOCSETD"] {
        for dirty in [0, 1 << 32, 0xFFFF_FFFF << 32] {
            assert_eq!(
                verdict(&filter, "ioctl", &[0, constant(name) | dirty]),
                Action::EPERM,
                "{name} {dirty:x}"
            );
            assert_eq!(verdict(&filter, "ioctl", &[0, constant("TCGETS") | dirty]), Action::Allow);
        }
    }
}
