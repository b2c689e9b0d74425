//! What one picture leaves in its worker is not in the next one: looked for from outside, in all of the workers' memory.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they skip"
)]

mod corpus;

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{Descriptor, Worker, Zygote};
use belljar_decode::{Answer, DECODE, Limits, Order, policy};

/// A picture whose bytes hold a mark again and again, where decoders pass over it.
fn marked(mark: &str) -> Vec<u8> {
    let mut bytes = corpus::picture("a.png", 16, 16);
    bytes.extend(mark.repeat(64).into_bytes());
    bytes
}

fn order(bytes: &[u8]) -> Order {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    Order { file: Descriptor::from(file), length: 0, limits: Limits::default() }
}

fn pid(worker: BorrowedFd<'_>) -> u32 {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", worker.as_raw_fd())).unwrap();
    info.lines().find_map(|line| line.strip_prefix("Pid:")).unwrap().trim().parse().unwrap()
}

/// How often a mark stands in the writable memory of a process; none where nobody may look.
fn marks(pid: u32, mark: &[u8]) -> Option<usize> {
    let mut memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut found = 0;
    for line in
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw")))
    {
        let (first, last) = line.split(' ').next()?.split_once('-')?;
        let [first, last] = [first, last].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(last - first).unwrap()];
        memory.seek(SeekFrom::Start(first)).unwrap();
        if memory.read_exact(&mut bytes).is_ok() {
            found += count(&bytes, mark);
        }
    }
    Some(found)
}

/// Most of the memory that a worker may use was never touched: pages of zeros have no mark in them.
fn count(bytes: &[u8], mark: &[u8]) -> usize {
    let touched =
        (0..bytes.len()).step_by(PAGE).filter(|at| bytes[*at..(at + PAGE).min(bytes.len())] != [0; PAGE]);
    let begins = |at: usize| (at..at + PAGE).filter(|at| bytes[*at..].starts_with(mark)).count();
    touched.map(begins).sum()
}

const PAGE: usize = 4096;

fn seen(worker: &Worker<Order, Answer>, mark: &str) -> Option<usize> {
    marks(pid(worker.pidfd().unwrap()), mark.as_bytes())
}

#[test]
fn what_a_picture_leaves_is_not_in_the_next_worker() {
    let zygote = Zygote::builder(&Policy::none(), &DECODE).under(&policy().unwrap()).unwrap();
    let zygote = zygote.program(env!("CARGO_BIN_EXE_belljar-decode")).start().unwrap();
    let names: Vec<String> = (0..5).map(|at| format!("canary-{at}-of-picture")).collect();
    for (at, name) in names.iter().enumerate() {
        let mut worker = zygote.spawn().unwrap();
        for earlier in &names[..at] {
            let Some(found) = seen(&worker, earlier) else {
                println!("SKIP: needs a look at the memory of workers");
                return;
            };
            assert_eq!(found, 0, "{earlier} in the worker of picture {at}");
        }
        let answer = worker.call(&order(&marked(name)), Duration::from_secs(10)).unwrap();
        assert!(matches!(answer, Answer::Picture { width: 16, height: 16, .. }), "{answer:?}");
        for earlier in &names[..at] {
            assert_eq!(seen(&worker, earlier), Some(0), "{earlier} after picture {at}");
        }
        // The search finds what is there: the worker's own picture.
        assert!(
            at == 0 || seen(&worker, name).is_some_and(|found| found > 0),
            "{name} is not found where it must be"
        );
    }
}
