use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Number(i64),
    Pair(Box<Tree>, Box<Tree>),
    Named { name: String, at: Option<u16>, more: Vec<Tree> },
    Map(BTreeMap<u8, char>),
    Odd((bool, f64, u128), ()),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Leaf),
        any::<i64>().prop_map(Tree::Number),
        any::<BTreeMap<u8, char>>().prop_map(Tree::Map),
        (any::<bool>(), -1e9..1e9_f64, any::<u128>()).prop_map(|odd| Tree::Odd(odd, ())),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        let pair =
            (inner.clone(), inner.clone()).prop_map(|(one, two)| Tree::Pair(Box::new(one), Box::new(two)));
        let named = (any::<String>(), any::<Option<u16>>(), prop::collection::vec(inner, 0..4))
            .prop_map(|(name, at, more)| Tree::Named { name, at, more });
        prop_oneof![pair, named]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(tree in tree()) {
        let (bytes, descriptors) = encode(&tree).unwrap();
        prop_assert!(descriptors.is_empty());
        prop_assert_eq!(decode::<Tree>(&bytes, Vec::new()).unwrap(), tree);
    }

    /// Whatever decodes is written in exactly the way that we write it: nothing has two spellings.
    #[test]
    fn no_bytes_panic_and_each_value_has_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(tree) = decode::<Tree>(&bytes, Vec::new()) {
            prop_assert_eq!(encode(&tree).unwrap().0, bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_an_error_or_another_value(tree in tree(), at: prop::sample::Index, with: u8) {
        let (mut bytes, _) = encode(&tree).unwrap();
        let at = at.index(bytes.len());
        let changed = bytes[at] != with;
        bytes[at] = with;
        // NaN is never equal to itself, which says "another value" as well.
        if let Ok(other) = decode::<Tree>(&bytes, Vec::new()) {
            prop_assert_eq!(other != tree, changed);
        }
    }

    #[test]
    fn a_message_that_breaks_off_is_none(tree in tree(), at: prop::sample::Index) {
        let (bytes, _) = encode(&tree).unwrap();
        prop_assert!(decode::<Tree>(&bytes[..at.index(bytes.len())], Vec::new()).is_err());
    }
}

#[test]
fn forged_lengths_neither_allocate_nor_loop() {
    let huge = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
    assert_eq!(decode::<Vec<u64>>(&huge, Vec::new()), Err(CodeError::Length(u64::MAX)));
    assert_eq!(decode::<Vec<()>>(&huge, Vec::new()), Err(CodeError::Length(u64::MAX)));
    assert_eq!(decode::<String>(&huge, Vec::new()), Err(CodeError::Length(u64::MAX)));
    assert_eq!(decode::<BTreeMap<u8, u8>>(&huge, Vec::new()), Err(CodeError::Length(u64::MAX)));
    let units = encode(&vec![(); 5]).unwrap().0;
    assert_eq!(decode::<Vec<()>>(&units, Vec::new()).map(|units| units.len()), Ok(5));
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let bytes = vec![2_u8; 1 << 20];
    assert_eq!(decode::<Tree>(&bytes, Vec::new()), Err(CodeError::Deep));
}

#[test]
fn numbers_have_one_form_and_their_own_size() {
    assert_eq!(decode::<u64>(&[0x80, 0x00], Vec::new()), Err(CodeError::Number));
    assert_eq!(decode::<u16>(&[0xFF, 0xFF, 0x04], Vec::new()), Err(CodeError::Number));
    assert_eq!(decode::<u16>(&[0xFF, 0xFF, 0x03], Vec::new()), Ok(u16::MAX));
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        assert_eq!(decode::<i64>(&encode(&number).unwrap().0, Vec::new()), Ok(number));
    }
    for number in [i128::MIN, i128::MAX] {
        assert_eq!(decode::<i128>(&encode(&number).unwrap().0, Vec::new()), Ok(number));
    }
    assert_eq!(decode::<u128>(&encode(&u128::MAX).unwrap().0, Vec::new()), Ok(u128::MAX));
}

/// Found by `fuzz/fuzz_targets/worker_messages.rs`: a number that goes on and on.
#[test]
fn numbers_end_where_their_type_does() {
    let (long, longest) = ([0x82; 40], [[0xFF; 18], [0x80; 18]].concat());
    for bytes in [&long[..], &longest] {
        assert_eq!(decode::<u128>(bytes, Vec::new()), Err(CodeError::Number));
        assert_eq!(decode::<i128>(bytes, Vec::new()), Err(CodeError::Number));
        assert_eq!(decode::<u64>(bytes, Vec::new()), Err(CodeError::Number));
        assert_eq!(decode::<u16>(bytes, Vec::new()), Err(CodeError::Number));
        assert_eq!(first_number(bytes), None);
    }
}

#[test]
fn what_is_left_over_is_an_error() {
    assert_eq!(decode::<bool>(&[1, 0], Vec::new()), Err(CodeError::Left(1)));
    assert_eq!(decode::<bool>(&[2], Vec::new()), Err(CodeError::Malformed("a truth value")));
    let pipe = rustix::pipe::pipe().unwrap().0;
    assert_eq!(decode::<bool>(&[1], vec![pipe]), Err(CodeError::Descriptors));
}

#[test]
fn the_names_of_variants_are_those_of_the_type() {
    assert_eq!(variants::<Tree>(), Some(&["Leaf", "Number", "Pair", "Named", "Map", "Odd"][..]));
    assert_eq!(variants::<String>(), None);
    assert_eq!(first_number(&encode(&Tree::Map(BTreeMap::new())).unwrap().0), Some(4));
}

/// Found by `fuzz/fuzz_targets/worker_messages.rs`: one map, two spellings.
#[test]
fn the_keys_of_a_map_come_in_order_and_once() {
    let twice = [2, 7, b'a', 7, b'b'];
    assert_eq!(decode::<BTreeMap<u8, char>>(&twice, Vec::new()), Err(CodeError::Order));
    let backwards = [2, 8, b'a', 7, b'b'];
    assert_eq!(decode::<BTreeMap<u8, char>>(&backwards, Vec::new()), Err(CodeError::Order));
    assert!(decode::<BTreeMap<u8, char>>(&[2, 7, b'a', 8, b'b'], Vec::new()).is_ok());
    // 128 is longer than 127, but its first byte is smaller than that of 129.
    let numbers: BTreeMap<u64, u8> = (0..400).map(|number| (number, 1)).collect();
    assert_eq!(decode(&encode(&numbers).unwrap().0, Vec::new()), Ok(numbers));
    let shuffled: std::collections::HashMap<String, u64> = (0..99).map(|n| (format!("{n}"), n)).collect();
    let (bytes, _) = encode(&shuffled).unwrap();
    assert_eq!(decode(&bytes, Vec::new()), Ok(shuffled));
    let sorted: BTreeMap<String, u64> = (0..99).map(|n| (format!("{n}"), n)).collect();
    assert_eq!(encode(&sorted).unwrap().0, bytes);
}

#[test]
fn descriptors_in_a_map_stay_with_their_keys() {
    use std::os::fd::AsFd as _;

    use super::super::carry::Descriptor;
    let number = |fd: std::os::fd::BorrowedFd<'_>| rustix::fs::fstat(fd).unwrap().st_ino;
    // As numbers in ascending order, as bytes not.
    let keys = [1_u64, 127, 128, 255, 256, 300];
    let pipes: Vec<_> = keys.iter().map(|_| rustix::pipe::pipe().unwrap().0).collect();
    let inodes: Vec<u64> = pipes.iter().map(|pipe| number(pipe.as_fd())).collect();
    let map: BTreeMap<u64, (u8, Descriptor)> =
        keys.iter().zip(pipes).map(|(key, pipe)| (*key, (0, pipe.into()))).collect();
    let (bytes, descriptors) = encode(&map).unwrap();
    let read: BTreeMap<u64, (u8, Descriptor)> = decode(&bytes, descriptors).unwrap();
    let found: Vec<u64> = read.values().map(|(_, pipe)| number(pipe.as_fd())).collect();
    assert_eq!(found, inodes);
}

/// Parts of nothing: two kinds of values without any.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bare {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Hollow([u8; 0], Bare);

/// Else a list of lists of them would be read for as long as its lengths say, whatever the message has.
#[test]
fn every_value_is_a_byte_at_least() {
    let lists = vec![vec![Bare {}, Bare {}], vec![Bare {}]];
    let bytes = encode(&lists).unwrap().0;
    assert_eq!(bytes, [2, 2, 0, 0, 1, 0]);
    assert_eq!(decode::<Vec<Vec<Bare>>>(&bytes, Vec::new()), Ok(lists));
    let hollow = Hollow([], Bare {});
    let bytes = encode(&hollow).unwrap().0;
    assert_eq!(decode::<Hollow>(&bytes, Vec::new()), Ok(hollow));
    assert_eq!(decode::<Vec<Vec<Bare>>>(&[1, 2, 0], Vec::new()), Err(CodeError::Length(2)));
    assert_eq!(decode::<Bare>(&[1], Vec::new()), Err(CodeError::Malformed("a unit")));
}

#[derive(Debug, Serialize, Deserialize)]
struct Large(Option<[u64; 32]>);

#[test]
fn what_stands_for_much_memory_is_refused_beyond_a_multiple_of_the_message() {
    // A thousand values, each a zero byte.
    let zeros = [vec![0xE8, 7], vec![0; 1000]].concat();
    let texts = decode_from::<Vec<String>>(&zeros, Vec::new(), 4000);
    assert_eq!(texts.map(|texts| texts.len()), Ok(1000));
    let large = decode_from::<Vec<Large>>(&zeros, Vec::new(), 4000);
    assert_eq!(large.map(|list| list.len()), Err(CodeError::Room));
    // What is in boxes, and in no list, takes memory too.
    let pairs = [[2, 0].repeat(50), vec![0]].concat();
    assert!(decode_from::<Tree>(&pairs, Vec::new(), 1000).is_ok());
    assert_eq!(decode_from::<Tree>(&pairs, Vec::new(), 100), Err(CodeError::Room));
}
