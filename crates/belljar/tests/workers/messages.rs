use std::fs::File;
use std::io::{Read, Seek, Write};

use belljar::worker::{Buffer, Bytes, Descriptor, LARGEST_BUFFER, WorkerError};

use crate::acts::{self, Act};
use crate::{LONG, able, builder, bytes, number, program, small, text, zygote};

#[test]
fn messages_of_every_size_come_back_as_they_were() {
    if !able() {
        return;
    }
    let mut worker = zygote(&acts::ECHO).spawn().unwrap();
    for size in [0, 1, 1000, 61_000, 61_500, 300_000, 5_000_000] {
        let sent = Bytes((0..size).map(|at| u8::try_from(at % 251).unwrap()).collect());
        assert!(worker.call(&sent, LONG).unwrap() == sent, "{size}");
    }
    let huge = worker.call(&Bytes(vec![0; 65 << 20]), LONG);
    assert!(matches!(huge, Err(WorkerError::TooLarge(_))), "{huge:?}");
    assert_eq!(worker.call(&Bytes(vec![5]), LONG).unwrap(), Bytes(vec![5]), "it goes on");
}

#[test]
fn a_channel_takes_no_more_than_was_agreed() {
    if !able() {
        return;
    }
    let mut worker = builder(&acts::ECHO).longest_message(1000).start().unwrap().spawn().unwrap();
    assert_eq!(worker.call(&Bytes(vec![1; 900]), LONG).unwrap().0.len(), 900);
    let longer = worker.call(&Bytes(vec![1; 2000]), LONG);
    assert!(matches!(longer, Err(WorkerError::Protocol(_))), "{longer:?}");
}

#[test]
fn large_data_is_handed_over_and_not_copied() {
    if !able() {
        return;
    }
    let size = 64 << 20;
    let mut picture = belljar::worker::BufferMut::new(size).unwrap();
    picture[0] = 1;
    picture[size - 1] = 2;
    let picture = picture.seal().unwrap();
    // 16 MiB would not hold a copy.
    let limits = belljar::worker::Limits::memory(16 << 20);
    let mut worker = builder(&acts::ENDS).limits(limits).start().unwrap().spawn().unwrap();
    assert_eq!(worker.call(&picture, LONG).unwrap(), (1, 2));
    let mut worker = zygote(&acts::INVERT).spawn().unwrap();
    let inverted = worker.call(&picture, LONG).unwrap();
    assert_eq!((inverted.len(), inverted[0], inverted[1], inverted[size - 1]), (size, 254, 255, 253));
}

#[test]
fn sealed_memory_is_changed_by_nobody() {
    let buffer = Buffer::copy_of(b"fixed").unwrap();
    let (_, descriptors) = belljar::worker::wire::encode(&buffer).unwrap();
    let mut file = File::from(descriptors.into_iter().next().unwrap());
    assert!(file.set_len(1).is_err() && file.set_len(100).is_err());
    file.rewind().unwrap();
    assert!(file.write(b"x").is_err());
    assert_eq!(&buffer[..], b"fixed");
    assert!(Buffer::copy_of(&[]).unwrap().is_empty());
    assert!(belljar::worker::BufferMut::new(usize::try_from(LARGEST_BUFFER).unwrap() + 1).is_err());
}

#[test]
fn memory_that_is_not_sealed_or_not_there_is_no_buffer() {
    use belljar::worker::wire::{decode, encode};
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
    let flags = MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC;
    let all = SealFlags::GROW | SealFlags::SHRINK | SealFlags::WRITE;
    let made = |seals: SealFlags, size: u64, filled: bool| {
        let memory = File::from(memfd_create("m", flags).unwrap());
        ftruncate(&memory, size).unwrap();
        if filled {
            (&memory).write_all(&vec![7; usize::try_from(size).unwrap()]).unwrap();
        }
        fcntl_add_seals(&memory, seals).unwrap();
        memory
    };
    let buffer = |len: u64, memory: File| {
        let (body, fds) = encode(&(len, Some(Descriptor::from(memory)))).unwrap();
        decode::<Buffer>(&body, fds)
    };
    assert_eq!(&buffer(5, made(all, 5, true)).unwrap()[..], [7; 5]);
    for seals in [SealFlags::GROW | SealFlags::SHRINK, all - SealFlags::SHRINK, all - SealFlags::GROW] {
        assert!(buffer(5, made(seals, 5, true)).is_err(), "{seals:?}");
    }
    for len in [0, 4, 6, 4096, u64::MAX, LARGEST_BUFFER + 1] {
        assert!(buffer(len, made(all, 5, true)).is_err(), "{len}");
    }
    assert!(buffer(1 << 20, made(all, 1 << 20, false)).is_err(), "memory that is not there");
    let file = tempfile::tempfile().unwrap();
    (&file).write_all(b"12345").unwrap();
    assert!(buffer(5, file).is_err(), "a file");
}

#[test]
fn descriptors_arrive_in_their_order() {
    if !able() {
        return;
    }
    let file = |text: &str| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        Descriptor::from(file)
    };
    let mut worker = zygote(&acts::FILES).spawn().unwrap();
    let back = worker.call(&vec![file("one"), file("two"), file("three")], LONG).unwrap();
    let read = back.into_iter().map(|file| {
        let mut text = String::new();
        File::from(file.into_owned()).read_to_string(&mut text).unwrap();
        text
    });
    assert_eq!(read.collect::<Vec<_>>(), ["three", "two", "one"]);
    let many = (0..17).map(|_| file("x")).collect();
    assert!(matches!(worker.call(&many, LONG), Err(WorkerError::TooLarge(_))));
    assert!(worker.call(&Vec::new(), LONG).unwrap().is_empty(), "it goes on");
    assert!(serde_json::to_string(&file("x")).is_err(), "descriptors are no text");
}

#[test]
fn what_was_warmed_is_there_and_what_was_drawn_is_not() {
    if !able() {
        return;
    }
    let zygote = small();
    let mut workers: Vec<_> = (0..4).map(|_| zygote.spawn().unwrap()).collect();
    for worker in &mut workers {
        assert_eq!(number(worker, Act::Warmed(30)), 900);
    }
    let mut seeds: Vec<_> = workers.iter_mut().map(|worker| bytes(worker, Act::Seed)).collect();
    let mut keys: Vec<_> = workers.iter_mut().map(|worker| number(worker, Act::Keys)).collect();
    assert!(seeds.iter().all(|seed| seed.iter().any(|byte| *byte != 0)));
    seeds.sort();
    seeds.dedup();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((seeds.len(), keys.len()), (4, 4), "{keys:?}");
}

#[test]
fn a_worker_has_four_descriptors_and_no_variables_of_the_caller() {
    if !able() {
        return;
    }
    let zygote = small();
    let _others: Vec<_> = (0..3).map(|_| zygote.spawn().unwrap()).collect();
    let mut worker = zygote.spawn().unwrap();
    assert_eq!(text(&mut worker, Act::Descriptors), "0 1 2 3 ");
    assert_eq!(text(&mut worker, Act::Variables), "BELLJAR_FD_belljar_worker ");
}

/// The guide's program, with workers of its own.
#[test]
fn the_guides_program_counts_words() {
    if !able() {
        return;
    }
    let place = crate::support::jars::Place::new();
    let file = place.outside().join("secret");
    let output = std::process::Command::new(program("parser")).arg(&file).arg("/dev/null").output().unwrap();
    let expected = format!("4 {}\n0 /dev/null\n", file.display());
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
}

#[test]
fn the_guide_shows_its_program() {
    let (guide, program) =
        (include_str!("../../../../docs/workers.md"), include_str!("../../../../examples/parser.rs"));
    let shown = guide.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(program.ends_with(shown), "docs/workers.md shows another program than examples/parser.rs");
    assert!(shown.lines().filter(|line| !line.is_empty()).count() <= 30);
}
