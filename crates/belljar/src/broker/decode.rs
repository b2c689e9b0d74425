//! What the kernel's record of a call says, before anything of its maker is looked at. Pure: any record has a reading, or
//! none.

use std::sync::OnceLock;

use belljar_bpf::Arch;
use belljar_sys::notify::Notification;

use super::caller::AT_CWD;
#[cfg(any(test, feature = "test-hooks"))]
use super::table::Of;
use super::table::{Row, TABLE};

/// A call that is answered here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) record: Notification,
    pub(super) row: &'static Row,
}

/// A path of a call: the descriptor that a relative one starts at, and its address in its maker's memory.
pub(super) type Pointed = (i32, u64);

/// What serves a call; none for one that is not answered here.
pub(super) fn row(record: &Notification) -> Option<&'static Row> {
    static ROWS: OnceLock<Vec<(u32, &'static Row)>> = OnceLock::new();
    let number = u32::try_from(record.nr).ok().filter(|_| record.arch == Arch::X86_64.audit())?;
    let rows = ROWS.get_or_init(|| {
        let number = |row: &'static Row| Some((belljar_bpf::syscall_number(row.call)?, row));
        let mut rows: Vec<_> = TABLE.iter().filter_map(number).collect();
        rows.sort_unstable_by_key(|(number, _)| *number);
        rows
    });
    let at = rows.binary_search_by_key(&number, |(of, _)| *of).ok()?;
    rows.get(at).map(|(_, row)| *row)
}

impl Call {
    /// An argument register; 0 where there is none.
    pub(super) fn register(&self, at: u8) -> u64 {
        self.record.args.get(usize::from(at)).copied().unwrap_or(0)
    }

    /// An argument that the kernel takes as `int`: the upper half does not count.
    pub(super) fn int(&self, at: u8) -> i32 {
        self.word(at).cast_signed()
    }

    /// An argument that the kernel takes as `unsigned int`.
    pub(super) fn word(&self, at: u8) -> u32 {
        u32::try_from(self.register(at) & 0xFFFF_FFFF).unwrap_or(0)
    }

    /// Position of the `n`th argument behind the path.
    pub(super) fn after(&self, n: u8) -> u8 {
        self.row.path.saturating_add(n)
    }

    /// A path by the positions of its folder and its address.
    pub(super) fn pointed(&self, (dir, path): (Option<u8>, u8)) -> Pointed {
        (dir.map_or(AT_CWD, |dir| self.int(dir)), self.register(path))
    }

    /// `AT_*` flags; 0 where the call has none.
    pub(super) fn flags(&self) -> u32 {
        self.row.flags.map_or(0, |at| self.word(at))
    }
}

/// A record as test programs see it: the call, and where its objects are.
#[cfg(any(test, feature = "test-hooks"))]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// Name of the call.
    pub call: &'static str,
    /// The descriptor that it is about, where it names no path.
    pub descriptor: Option<i32>,
    /// Folder and address of its path.
    pub path: Option<(i32, u64)>,
    /// The same of its second path.
    pub second: Option<(i32, u64)>,
    /// Its `AT_*` flags.
    pub flags: u32,
}

#[cfg(any(test, feature = "test-hooks"))]
impl Reading {
    /// Reads the 80 bytes of a record; none for a call that the broker does not answer.
    #[must_use]
    pub fn of(bytes: &[u8; Notification::SIZE]) -> Option<Self> {
        let record = Notification::decode(bytes);
        let call = Call { record, row: row(&record)? };
        let by_descriptor = call.row.of == Of::Descriptor;
        Some(Self {
            call: call.row.call,
            descriptor: by_descriptor.then(|| call.int(0)),
            path: (!by_descriptor).then(|| call.pointed((call.row.dir, call.row.path))),
            second: call.row.second.map(|at| call.pointed(at)),
            flags: call.flags(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The record of a call of this table, laid out by hand.
    fn record(row: &Row, args: [u64; 6], arch: u32) -> [u8; Notification::SIZE] {
        let number = belljar_bpf::syscall_number(row.call).unwrap();
        let head = [7_u64.to_ne_bytes(), 42_u64.to_ne_bytes()].concat();
        let middle = [number.to_ne_bytes(), arch.to_ne_bytes()].concat();
        let ip = 0x40_0000_u64.to_ne_bytes().to_vec();
        let args: Vec<u8> = args.iter().flat_map(|arg| arg.to_ne_bytes()).collect();
        [head, middle, ip, args].concat().try_into().unwrap()
    }

    proptest! {
        #[test]
        fn any_record_of_any_row_is_read_where_its_arguments_are(args: [u64; 6]) {
            for row in TABLE {
                let read = Reading::of(&record(row, args, Arch::X86_64.audit())).unwrap();
                let int = |at: u8| i32::from_ne_bytes(*args[usize::from(at)].to_ne_bytes().first_chunk().unwrap());
                let at = |(dir, path): (Option<u8>, u8)| (dir.map_or(AT_CWD, int), args[usize::from(path)]);
                prop_assert_eq!(read.call, row.call);
                let path = if row.of == Of::Descriptor { None } else { Some(at((row.dir, row.path))) };
                prop_assert_eq!(read.path, path);
                prop_assert_eq!(read.second, row.second.map(at));
                prop_assert_eq!(read.descriptor.is_none(), read.path.is_some());
            }
        }

        #[test]
        fn any_bytes_are_a_call_of_the_table_or_none(bytes in prop::collection::vec(any::<u8>(), Notification::SIZE)) {
            let bytes: [u8; Notification::SIZE] = bytes.try_into().unwrap();
            if let Some(read) = Reading::of(&bytes) {
                prop_assert!(TABLE.iter().any(|row| row.call == read.call));
            }
        }
    }

    #[test]
    fn another_convention_is_no_call_of_the_table() {
        for row in TABLE {
            assert_eq!(Reading::of(&record(row, [0; 6], 0x4000_0003)), None, "{row:?}");
            let mut bytes = record(row, [0; 6], Arch::X86_64.audit());
            // The x32 bit.
            bytes[19] |= 0x40;
            assert_eq!(Reading::of(&bytes), None, "{row:?}");
        }
    }
}
