//! S3: tries every prctl option.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{in_child, sys};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S3",
    name: "prctl-sweep",
    what: "finds a prctl option that works beyond the harmless ones",
    prepare,
    attack,
    ..Attack::ROW
};

/// Options that only ask, only tighten or concern only the caller's own name, timers and memory, with the first
/// arguments for which that holds; none means all.
const HARMLESS: &[(&[i32], &[usize])] = &[
    (
        &[1, 2, 3, 7, 15, 16, 21, 23, 24, 25, 27, 29, 30, 34, 36, 37, 38, 39, 40, 41, 42, 52, 53, 65, 66, 68],
        &[],
    ),
    (&[0x5356_4d41, 0x4155_5856], &[]),
    (&[4], &[0, 1]),
    (&[8], &[0]),
    (&[22], &[1, 2]),
    (&[47], &[1, 3, 4]),
];
/// Last option number tried in a row; the others are single.
const LAST: i32 = 128;
const SINGLE: &[i32] = &[0x5356_4d41, 0x4155_5856, 0x5961_6d61, 0x5343_4542];
/// Argument words tried with each option.
const WORDS: &[[usize; 4]] =
    &[[0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0], [1, 1, 0, 0], [0, 2, 0, 0], [0, 4, 0, 0], [4, 2, 3, 0]];

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let all = (0..=LAST).chain(SINGLE.iter().copied());
    let found: Vec<i32> = all.filter(|option| works(*option)).collect();
    eprint(&found)?;
    if found.is_empty() { Ok(()) } else { proof::show(args, 0) }
}

/// Some argument works that is not known to be harmless.
fn works(option: i32) -> bool {
    WORDS.iter().filter(|words| !harmless(option, words[0])).any(|words| {
        in_child(|| sys!(SYS_prctl, option, words[0], words[1], words[2], words[3]).map(|_| ())).is_ok()
    })
}

fn harmless(option: i32, first: usize) -> bool {
    HARMLESS
        .iter()
        .any(|(options, words)| options.contains(&option) && (words.is_empty() || words.contains(&first)))
}

/// For people: which options worked.
fn eprint(found: &[i32]) -> io::Result<()> {
    io::Write::write_all(&mut io::stderr(), format!("working options: {found:?}\n").as_bytes())
}
