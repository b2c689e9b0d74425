//! The condition language: what it means, where its errors point, and that no text brings it down.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use belljar_bpf::{
    BindError, CompileError, ConditionError, Filter, RuleError, Width, argument_width, constant_value,
    constants, parse_condition, syscall_count, syscall_name, syscall_number, syscalls,
};
use proptest::prelude::*;

fn holds(text: &str, args: &[u64]) -> bool {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    parse_condition(text).unwrap().holds(&all)
}

#[test]
fn each_operator_means_what_it_says() {
    let table: &[(&str, &[u64], bool)] = &[
        ("arg0 == 3", &[3], true),
        ("arg0 == 3", &[0x1_0000_0003], false),
        ("arg0 != 3", &[4], true),
        ("arg0 < 3", &[2], true),
        ("arg0 < 3", &[3], false),
        ("arg0 <= 3", &[3], true),
        ("arg0 > 0xFFFF_FFFF", &[0x1_0000_0000], true),
        ("arg0 >= 0b11", &[2], false),
        ("arg1 & 0x3 == 0x1", &[0, 0xFD], true),
        ("(arg1 & 0x3) == 0x1", &[0, 0xFE], false),
        ("arg1 & (O_WRONLY|O_RDWR) == O_RDONLY", &[0, 0o100], true),
        ("arg1 & O_ACCMODE in {O_RDONLY, O_RDWR}", &[0, 0o101], false),
        ("arg2 & ~0xF == 0", &[0, 0, 0x1_0000_0000], false),
        ("arg0 == -100", &[0xFFFF_FFFF_FFFF_FF9C], true),
        ("arg0 == AT_FDCWD", &[0xFFFF_FFFF_FFFF_FF9C], true),
        ("arg0 == 1 || arg0 == 2 && arg1 == 9", &[1, 0], true),
        ("(arg0 == 1 || arg0 == 2) && arg1 == 9", &[1, 0], false),
        ("!arg0 == 1", &[2], true),
        ("!(arg0 == 1 || !(arg1 == 2))", &[0, 2], true),
        ("arg5 in { 0o17 , TCGETS,3 }", &[0, 0, 0, 0, 0, 15], true),
    ];
    for (text, args, expected) in table {
        assert_eq!(holds(text, args), *expected, "{text} {args:x?}");
    }
}

#[test]
fn errors_point_at_the_word() {
    let table = [
        ("", 0),
        ("arg1", 4),
        ("arg1 = 3", 5),
        ("arg1 == ", 8),
        ("arg1 == 3 arg2 == 4", 10),
        ("arg6 == 1", 0),
        ("arg1 == TCGEST", 8),
        ("arg1 == 0x", 8),
        ("arg1 == 017", 8),
        ("arg1 == 0x1_0000_0000_0000_0000", 8),
        ("arg1 in {}", 9),
        ("arg1 in {1,", 11),
        ("(arg1 == 1", 10),
        ("arg1 & == 1", 7),
        ("arg1 == 1 &", 10),
        ("arg1 == \u{e9}", 8),
        ("3 == arg1", 0),
    ];
    for (text, at) in table {
        assert_eq!(parse_condition(text).unwrap_err().position(), at, "{text:?}");
    }
}

#[test]
fn a_misspelt_constant_gets_a_suggestion() {
    let error = parse_condition("arg1 == TCGEST").unwrap_err();
    let expected =
        ConditionError::UnknownName { at: 8, name: "TCGEST".to_owned(), suggestion: Some("TCGETS") };
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), "byte 8: unknown constant \"TCGEST\", did you mean \"TCGETS\"?");
    assert!(matches!(
        parse_condition("arg1 == XXXXXXXXXXXXXXXXXXXX"),
        Err(ConditionError::UnknownName { suggestion: None, .. })
    ));
}

#[test]
fn size_and_depth_are_bounded() {
    let deep = |count: usize| format!("{}arg0 == 1{}", "(".repeat(count), ")".repeat(count));
    assert!(parse_condition(&deep(30)).is_ok());
    assert!(matches!(parse_condition(&deep(40)), Err(ConditionError::TooDeep { .. })));
    assert!(matches!(parse_condition(&"!".repeat(9000)), Err(ConditionError::TooDeep { .. })));
    assert!(matches!(parse_condition(&" ".repeat(20_000)), Err(ConditionError::TooLong { bytes: 20_000 })));
}

#[test]
fn a_test_that_cannot_change_the_verdict_is_an_error() {
    let bind = |name: &str, text: &str| {
        let nr = syscall_number(name).unwrap();
        parse_condition(text).unwrap().bind(nr)
    };
    for text in ["arg2 & 3 == 4", "arg2 < 0", "arg2 >= 0", "arg2 & 0 == 0", "arg2 & 3 <= 3", "arg2 > -1"] {
        assert_eq!(bind("mmap", text).unwrap_err(), BindError::Constant { arg: 2 }, "{text}");
    }
    let wide = BindError::TooWide { arg: 1, value: 0x1_0000_5401, width: Width::Low32 };
    assert_eq!(bind("ioctl", "arg1 == 0x100005401").unwrap_err(), wide);
    assert!(bind("ioctl", "arg1 & ~3 == 0").is_ok(), "a complement is cut to the argument");
    assert!(bind("openat", "arg0 == AT_FDCWD").is_ok(), "a negative number is cut to the argument");
}

#[test]
fn errors_name_the_call_and_chain_the_position() {
    let error = Filter::builder().allow_when("ioctl", "arg1 = 3").unwrap_err();
    assert!(matches!(&error, RuleError::Condition { syscall, .. } if syscall == "ioctl"));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.starts_with("byte 5: expected"), "{source}");
    let unknown = Filter::builder().allow("opennat").unwrap_err();
    assert_eq!(unknown.to_string(), "unknown system call \"opennat\", did you mean \"openat\"?");
    let group = Filter::builder().allow_group("@defualt").unwrap_err();
    assert_eq!(group.to_string(), "unknown group \"@defualt\", did you mean \"@default\"?");
    assert_eq!(Filter::builder().compile().unwrap_err(), CompileError::Empty);
    assert!(Filter::builder().allow_nothing().compile().is_ok());
}

#[test]
fn names_and_numbers_are_one_to_one() {
    assert!(syscall_count() >= 383);
    for (name, nr) in syscalls() {
        assert_eq!(syscall_number(name), Some(nr));
        assert_eq!(syscall_name(nr), Some(name));
    }
    assert_eq!((syscall_number("read"), syscall_number("file_setattr")), (Some(0), Some(469)));
    assert_eq!(syscall_name(400), None);
    for (name, value) in constants() {
        assert_eq!(constant_value(name), Some(value));
    }
}

#[test]
fn widths_are_those_of_the_kernel() {
    let width = |name: &str, arg| argument_width(syscall_number(name).unwrap(), arg);
    assert_eq!(width("ioctl", 1), Width::Low32, "unsigned int cmd");
    assert_eq!(width("ioctl", 2), Width::Full, "unsigned long arg");
    assert_eq!(width("prctl", 0), Width::Low32, "int option");
    assert_eq!(width("prctl", 1), Width::Full);
    assert_eq!(width("clone", 0), Width::Low32, "lower_32_bits in the body");
    assert_eq!(width("unshare", 0), Width::Full, "unsigned long, checked whole");
    assert_eq!(width("mmap", 2), Width::Low32, "the upper half of prot is never looked at");
    assert_eq!(width("mmap", 3), Width::Full, "unsigned long flags, checked whole for some types");
    assert_eq!(width("mprotect", 2), Width::Full, "unsigned long prot, checked whole");
    assert_eq!(width("mmap", 4), Width::Low32, "a descriptor");
    assert_eq!(width("chmod", 1), Width::Low16, "umode_t");
    assert_eq!(width("socket", 5), Width::Full, "no such argument");
    assert_eq!(argument_width(9999, 0), Width::Full);
}

#[test]
fn a_condition_prints_as_it_is_read() {
    let table = [
        ("arg1 == TCGETS", "arg1 == 0x5401"),
        ("arg1 in {1, 2} && !(arg0 & 3 > 1)", "(arg1 == 0x1 || arg1 == 0x2) && (!arg0 & 0x3 > 0x1)"),
        ("arg0 & 0xffffffff == 1", "arg0 & 0xffffffff == 0x1"),
        ("!!(arg0 != 1)", "!(!arg0 != 0x1)"),
    ];
    for (text, shown) in table {
        let cond = parse_condition(text).unwrap();
        assert_eq!(cond.to_string(), shown);
        assert_eq!(parse_condition(shown).unwrap(), cond);
    }
}

proptest! {
    #[test]
    fn no_text_brings_the_parser_down(text in "\\PC{0,200}") {
        if let Err(error) = parse_condition(&text) {
            prop_assert!(error.position() <= text.len());
        }
    }

    #[test]
    fn no_row_of_words_brings_the_parser_down(words in prop::collection::vec(word(), 0..40), args: [u64; 6]) {
        let text = words.join(" ");
        if let Ok(cond) = parse_condition(&text) {
            let opposite = parse_condition(&format!("!({text})")).unwrap();
            prop_assert_ne!(cond.holds(&args), opposite.holds(&args));
            let again = parse_condition(&cond.to_string()).unwrap();
            prop_assert_eq!(cond.holds(&args), again.holds(&args));
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "arg0",
        "arg1",
        "arg9",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&",
        "&&",
        "|",
        "||",
        "!",
        "(",
        ")",
        "{",
        "}",
        ",",
        "~",
        "-",
        "in",
        "TCGETS",
        "0x5401",
        "3",
        "AF_UNIX",
        "=",
        "0x",
        "99999999999999999999",
    ];
    prop::sample::select(WORDS).prop_map(str::to_owned)
}
