//! Promises: what a program says that it will need, in OpenBSD's words. Each is a text file in `promises/` with a reason per
//! call; files named `a+b.txt` hold what takes both promises.

use crate::action::{Action, EACCES};
use crate::builder::FilterBuilder;
use crate::error::RuleError;
use crate::filter::Filter;
use crate::generated::groups::PROMISES;
use crate::groups::Row;
use crate::suggest;

/// What every set holds.
const ALWAYS: &str = "always";

/// One promise, or what takes several.
#[derive(Debug)]
pub struct Promise {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) paths: &'static [(&'static str, &'static str)],
    pub(crate) never_with: &'static [&'static str],
    pub(crate) why: &'static str,
    pub(crate) rows: &'static [Row],
}

/// A word of OpenBSD's list that has no meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaningless {
    /// The word.
    pub name: &'static str,
    /// Why it is refused.
    pub reason: &'static str,
    /// What to do instead.
    pub remedy: &'static str,
}

/// Words of OpenBSD's list that are refused by name.
pub const MEANINGLESS: &[Meaningless] = &[
    Meaningless {
        name: "settime",
        reason: "the clock belongs to the whole host, and no filter here grants setting it",
        remedy: "set the clock in a process that makes no promises",
    },
    Meaningless {
        name: "tape",
        reason: "tape drives have no calls of their own on Linux",
        remedy: "open the device before promising",
    },
    Meaningless {
        name: "route",
        reason: "the routing table is read over netlink sockets, whose messages a filter cannot see",
        remedy: "read the table before promising; dns allows what getaddrinfo asks",
    },
    Meaningless {
        name: "wroute",
        reason: "routes are changed over netlink sockets, whose messages a filter cannot see",
        remedy: "change routes in a process that makes no promises",
    },
    Meaningless { name: "pf", reason: "Linux has no pf", remedy: "leave it out" },
    Meaningless {
        name: "bpf",
        reason: "bpf on Linux loads programs into the kernel",
        remedy: "open what is needed before promising",
    },
    Meaningless {
        name: "audio",
        reason: "sound devices share their calls with all other devices",
        remedy: "open the device before promising, or speak to a sound server over unix",
    },
    Meaningless {
        name: "video",
        reason: "cameras share their calls with all other devices",
        remedy: "open the device before promising",
    },
    Meaningless {
        name: "drm",
        reason: "graphics cards share their calls with all other devices",
        remedy: "open the device before promising",
    },
    Meaningless {
        name: "disklabel",
        reason: "partition tables have no calls of their own on Linux",
        remedy: "open the device before promising",
    },
    Meaningless {
        name: "vmm",
        reason: "virtual machines share their calls with all other devices",
        remedy: "open /dev/kvm before promising",
    },
];

/// A call that a promise makes likely and that must fail quietly, since the C library goes on without it.
struct Quiet {
    with: &'static [&'static str],
    unless: &'static str,
    call: &'static str,
    when: &'static str,
}

const QUIET: &[Quiet] = &[
    // getaddrinfo and getpwnam ask the name service cache first.
    Quiet { with: &["dns", "getpw"], unless: "unix", call: "socket", when: "arg0 == AF_UNIX" },
];

/// Why a set of promises cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PromiseError {
    /// No such word.
    Unknown {
        /// The word.
        name: String,
        /// The nearest one.
        suggestion: Option<&'static str>,
    },
    /// A word of OpenBSD's list that has no meaning on Linux.
    Meaningless(Meaningless),
    /// Two promises that cannot be kept together.
    Together {
        /// The one.
        name: &'static str,
        /// The other.
        with: &'static str,
        /// Why.
        why: &'static str,
    },
}

impl std::fmt::Display for PromiseError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { name, suggestion: Some(near) } => {
                write!(out, "no promise \"{}\"; did you mean {near}?", name.escape_debug())
            }
            Self::Unknown { name, suggestion: None } => {
                write!(out, "no promise \"{}\"", name.escape_debug())
            }
            Self::Meaningless(Meaningless { name, reason, remedy }) => {
                write!(out, "promise {name} has no meaning here: {reason}; {remedy}")
            }
            Self::Together { name, with, why } => {
                write!(out, "promises {name} and {with} cannot be kept together: {why}")
            }
        }
    }
}

impl std::error::Error for PromiseError {}

impl Promise {
    /// The word; `a+b` for what takes both.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it allows.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// The only paths that it reaches by itself, each with rights: `r`, `w`, `x`, `c`.
    #[must_use]
    pub fn paths(&self) -> &'static [(&'static str, &'static str)] {
        self.paths
    }

    /// Promises that cannot be made beside it, and why.
    #[must_use]
    pub fn never_with(&self) -> (&'static [&'static str], &'static str) {
        (self.never_with, self.why)
    }

    /// Its calls, by number.
    #[must_use]
    pub fn rows(&self) -> &'static [Row] {
        self.rows
    }

    /// The single words that it takes.
    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.name.split('+')
    }

    fn is_single(&self) -> bool {
        self.name != ALWAYS && !self.name.contains('+')
    }

    /// Bound to paths, or to what comes before other promises: no general answer.
    fn is_narrow(&self) -> bool {
        !self.paths.is_empty() || self.name == "unveil"
    }

    fn allows(&self, nr: u32, args: &[u64; 6]) -> bool {
        let rows = self.rows.iter().filter(|row| row.nr == nr && row.answer().is_none());
        rows.into_iter().any(|row| row.condition().is_none_or(|when| when.holds(args)))
    }
}

/// All single promises, by name.
pub fn promises() -> impl Iterator<Item = &'static Promise> {
    PROMISES.iter().filter(|promise| promise.is_single())
}

/// What takes several promises at once.
pub fn joint_promises() -> impl Iterator<Item = &'static Promise> {
    PROMISES.iter().filter(|promise| promise.name.contains('+'))
}

/// The promise that would allow this call; `a+b` when it takes both. Of several the one that speaks of fewest calls.
/// Allocates nothing and takes no lock: a signal handler may ask.
#[must_use]
pub fn promise_for(nr: u32, args: &[u64; 6]) -> Option<&'static str> {
    let able = PROMISES.iter().filter(|promise| promise.name != ALWAYS && promise.allows(nr, args));
    able.min_by_key(|promise| (promise.is_narrow(), promise.rows.len())).map(|promise| promise.name)
}

/// A set of promises.
///
/// ```
/// use belljar_bpf::Promises;
/// let all: Promises = "stdio rpath dns".parse()?;
/// let less: Promises = "stdio".parse()?;
/// assert!(less.is_within(all) && !all.is_within(less));
/// assert!("stdio tape".parse::<Promises>().is_err());
/// # Ok::<(), belljar_bpf::PromiseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Promises(u64);

impl std::str::FromStr for Promises {
    type Err = PromiseError;

    fn from_str(text: &str) -> Result<Self, PromiseError> {
        let mut set = Self(0);
        for word in text.split_ascii_whitespace() {
            set.0 |= bit(word)?;
        }
        set.iter().try_for_each(|promise| set.refuse_together(promise))?;
        Ok(set)
    }
}

/// Place of a word in the set.
fn bit(word: &str) -> Result<u64, PromiseError> {
    if let Some(known) = MEANINGLESS.iter().find(|known| known.name == word) {
        return Err(PromiseError::Meaningless(*known));
    }
    let at = promises().position(|promise| promise.name == word);
    let bit = at.and_then(|at| u32::try_from(at).ok()).and_then(|at| 1_u64.checked_shl(at));
    bit.ok_or_else(|| PromiseError::Unknown {
        name: word.chars().take(64).collect(),
        suggestion: suggest::nearest(word, promises().map(|promise| promise.name)),
    })
}

impl Promises {
    /// The promises of the set, by name.
    pub fn iter(self) -> impl Iterator<Item = &'static Promise> {
        promises().enumerate().filter(move |(at, _)| self.0 >> at & 1 == 1).map(|(_, promise)| promise)
    }

    /// Whether the set has this promise.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.iter().any(|promise| promise.name == name)
    }

    /// Whether nothing is promised here that `wider` lacks.
    #[must_use]
    pub fn is_within(self, wider: Self) -> bool {
        self.0 & !wider.0 == 0
    }

    /// What is promised here and not in `wider`.
    pub fn beyond(self, wider: Self) -> impl Iterator<Item = &'static Promise> {
        Self(self.0 & !wider.0).iter()
    }

    fn refuse_together(self, promise: &'static Promise) -> Result<(), PromiseError> {
        match promise.never_with.iter().find(|other| self.has(other)) {
            Some(with) => Err(PromiseError::Together { name: promise.name, with, why: promise.why }),
            None => Ok(()),
        }
    }

    /// Rules of the set: what it allows, and `refusal` for everything else that the table knows; numbers of newer kernels
    /// are answered with `ENOSYS`. With the promise `error` the refusal is `ENOSYS` too.
    ///
    /// # Errors
    /// A refusal that would let calls through.
    pub fn rules(self, refusal: Action) -> Result<FilterBuilder, RuleError> {
        let refusal = if self.has("error") { Action::ENOSYS } else { refusal };
        let builder = Filter::builder().known_denied(refusal)?;
        let taken = PROMISES.iter().filter(|promise| self.takes(promise));
        let builder = taken.fold(builder, |builder, promise| builder.allow_rows(promise.rows, promise.name));
        let quiet = QUIET.iter().filter(|quiet| self.is_quiet(quiet));
        let answer = Action::Errno(EACCES);
        quiet
            .into_iter()
            .try_fold(builder, |builder, quiet| builder.deny(quiet.call, Some(quiet.when), answer))
    }

    /// What the set says about call `nr`: each row with the promise that it stands in, `always` for what every set has.
    ///
    /// ```
    /// use belljar_bpf::{Promises, syscall_number};
    /// let promises: Promises = "stdio".parse()?;
    /// let names = |call| promises.rows(syscall_number(call).unwrap()).map(|(name, _)| name).next();
    /// assert_eq!((names("read"), names("connect")), (Some("stdio"), None));
    /// # Ok::<(), belljar_bpf::PromiseError>(())
    /// ```
    pub fn rows(self, nr: u32) -> impl Iterator<Item = (&'static str, &'static Row)> {
        let taken = PROMISES.iter().filter(move |promise| self.takes(promise));
        taken.flat_map(move |promise| {
            promise.rows.iter().filter(move |row| row.nr == nr).map(|row| (promise.name, row))
        })
    }

    fn takes(self, promise: &Promise) -> bool {
        promise.name == ALWAYS || promise.words().all(|word| self.has(word))
    }

    fn is_quiet(self, quiet: &Quiet) -> bool {
        quiet.with.iter().any(|name| self.has(name)) && !self.has(quiet.unless)
    }
}

impl std::fmt::Display for Promises {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.iter().map(Promise::name).collect();
        out.write_str(&names.join(" "))
    }
}
