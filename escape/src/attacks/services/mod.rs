//! Services for programs that know nothing of them: what is looked up and kept for a jar is all that it gets.

mod logs;
mod words;

use crate::attack::{Attack, Family};

pub(super) const FAMILY: Family = Family {
    title: "Services: files of the command line, names, accounts and a log",
    rows: &[
        words::BESIDE,
        words::SWAPPED,
        words::QUESTION,
        words::ACCOUNT,
        logs::FORGERY,
        logs::ELSEWHERE,
        logs::FLOOD,
    ],
};

const ROW: Attack = Attack { id: "B3", boxes: &["belljar"], ..Attack::ROW };
