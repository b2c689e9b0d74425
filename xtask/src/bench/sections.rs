//! What is measured: one row of [`SECTIONS`] each.

mod broker;
mod calls;
mod decode;
mod memory;
mod network;
mod services;
mod start;
mod work;
mod workers;

use anyhow::Result;

use super::figures::Series;
use super::helper::{Effort, Helper};
use super::peers::{Peer, Places};
use super::report::Table;
use crate::account::Account;
use crate::command::say;

/// Where and as whom things are measured.
pub(super) struct Bench<'a> {
    pub(super) helper: &'a Helper,
    pub(super) account: &'a Account,
    pub(super) places: &'a Places,
}

/// One table of the page.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    pub(super) measure: fn(&Bench<'_>) -> Result<Table>,
}

/// Prints `inside`: a program of the system.
const SYSTEM: &[&str] = &["/bin/echo", "inside"];
/// Prints `inside`: our own measuring program.
const OWN: &[&str] = &["{bin}/bench", "echo", "inside"];

pub(super) const SECTIONS: &[Section] = &[
    Section {
        title: "Start to exit of /bin/true",
        note: "Milliseconds from posix_spawn to the end of wait. /bin/true is a dynamic glibc program. The row of the kernel makes \
               the same namespaces, as many mounts and the same end, with a Landlock domain of one rule and a filter of one \
               instruction: it reads no policy, looks nothing up, drops no environment, limits nothing and tries nothing.",
        measure: start::dynamic,
    },
    Section {
        title: "Start to exit of a static program",
        note: "The same with a program that has next to no start-up of its own (`bench exit`).",
        measure: start::small,
    },
    Section {
        title: "Slow starters",
        note: "Start to exit of /bin/true with fewer rounds.",
        measure: start::slow,
    },
    Section {
        title: "Start from the library",
        note: "/bin/true from a program that has read its policy, probed the host and made its command once; milliseconds. `library` is until \
               nothing of the jar is in the process table, as after the wait for a plain process: the child was dropped. The \
               report is there earlier, when nothing of the jar runs any more.",
        measure: start::library,
    },
    Section {
        title: "Starts a second",
        note: "One worker, one after another, /bin/true; delayed teardown by the kernel included.",
        measure: start::rate,
    },
    Section {
        title: "System calls of a start",
        note: "`strace -f -c` over all processes, less those of the same command without a box.",
        measure: start::calls,
    },
    Section {
        title: "System calls inside",
        note: "Nanoseconds per call, the quickest of five rounds of each run. Rows of the kernel have the layers that a jar has \
               at their smallest: a filter of one instruction, a Landlock domain of one rule.",
        measure: calls::run,
    },
    Section {
        title: "Calls through the broker",
        note: "Nanoseconds per call, the quickest of five rounds of each run. `refused` opens a file that is not there, which \
               fails in every box: without the broker the kernel refuses it. The row of the kernel is a listener that looks at \
               nothing: it answers an error, or opens one file and hands it over. It has one thread. The broker has two where opens \
               come in a row, so that the other processor, on which the kernel wakes the caller, does not go to sleep.",
        measure: broker::calls,
    },
    Section {
        title: "Requests in flight",
        note: "Threads of one program wait in the open of a FIFO that nobody writes. KiB.",
        measure: broker::memory,
    },
    Section {
        title: "Networks by name",
        note: "A server on the host's loopback, reached directly and from a jar by its name, in turns. Until the first byte the \
               name is decided on, the address checked and dialled, and both directions relayed. The column of the kernel is one \
               more hop by `splice`, in a plain loop and without a jar: three processes share the processors then, not two.",
        measure: network::run,
    },
    Section {
        title: "Real work",
        note: "Whole commands, their start included: milliseconds outside, ratios inside. Each box has a repository of its own. \
               The column of the kernel is the command itself below a Landlock domain of one rule and a filter of one instruction.",
        measure: work::run,
    },
    Section {
        title: "Pictures",
        note: "100 pictures of 800 x 600 (JPEG, PNG, WebP) to thumbnails of 256, one at a time, starts included. \
               The program itself has the decoders of the workers, compiled alike, and the allocator of its C library.",
        measure: decode::run,
    },
    Section {
        title: "Workers of the library",
        note: "Ratios are to the start of /bin/true, the bare round trip and the copy, round by round. \
               Calls and round trips are 200 in a row on one processor: waking one that sleeps would outweigh them.",
        measure: workers::run,
    },
    Section {
        title: "Services of the library",
        note: "Each service is a process in a jar of its own. Requests are 50 in a row on one processor, beside a bare round trip \
               of 1 KiB over a pair of sockets, and beside what the program would do itself if it could.",
        measure: services::processes,
    },
    Section {
        title: "Services of any program",
        note: "Start to exit of /bin/true in a jar that has answers, or a log.",
        measure: services::answered,
    },
    Section {
        title: "Memory and processes",
        note: "Boxes in which `sleep` waits. KiB; PSS counts all processes of a box, the program included.",
        measure: memory::few,
    },
    Section { title: "Many at once", note: "All started, all waiting, then ended.", measure: memory::many },
];

impl Bench<'_> {
    /// The peers of the list that really run this command here: its output comes back.
    fn usable(&self, peers: &[&'static Peer], probe: &[&str]) -> Vec<&'static Peer> {
        peers.iter().copied().filter(|peer| self.works(peer, probe)).collect()
    }

    fn works(&self, peer: &Peer, probe: &[&str]) -> bool {
        let line = peer.line(probe, self.places);
        let outcome = line.split_first().map(|(program, words)| {
            let mut command = self.account.command(program.as_ref(), 20);
            command.args(words).current_dir(&self.places.work).output()
        });
        let works = outcome.is_some_and(|done| done.is_ok_and(|done| done.stdout.starts_with(b"inside")));
        if !works {
            say(&format!("bench: {} does not run {} here and is left out", peer.name, probe.join(" ")));
        }
        works
    }

    /// The command in each box, beside each other.
    fn series(&self, peers: &[&'static Peer], command: &[&str], effort: &Effort) -> Result<Vec<Series>> {
        let rows: Vec<(&str, Vec<String>)> =
            peers.iter().map(|peer| (peer.name, peer.line(command, self.places))).collect();
        self.helper.series(self.account, effort, &rows)
    }
}
