//! Workers of each template that say anything at all, and workers that are asked for nothing they know. The seeds are fixed; a
//! failure names its own.

use std::time::{Duration, Instant};

use belljar::policy::Policy;
use belljar::worker::{Builder, Bytes, Descriptor, Entry, Limits, Needs, Seal, WorkerError, Zygote};
use serde::de::DeserializeOwned;
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::acts::{Act, Forgery, Seeded};
use crate::asks::session;
use crate::{LONG, able, acts, program};

const TEMPLATES: &[&str] = &["@preauth", "@renderer", "@decoder"];
const ROUNDS: u64 = 120;

/// A worker under a template. What these calls need beside it is how the test lies, not what it lies about.
fn under<Q, A, N>(template: &str, entry: &'static Entry<Q, A, N>) -> Zygote<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    let policy = Policy::preset(template).unwrap();
    let seal = Seal::of(&policy).unwrap().allow("sendmsg").allow_when("fcntl", "arg1 == F_DUPFD_CLOEXEC");
    let builder: Builder<Q, A, N> = Zygote::builder(&Policy::none(), entry).program(program("worker_acts"));
    builder.seal(seal).limits(Limits::of(&policy)).start().unwrap()
}

/// Whatever comes is a reply or a typed error, in time, and the next worker is as good as any.
#[test]
fn nothing_that_a_worker_says_stops_its_parent() {
    if !able() {
        return;
    }
    for template in TEMPLATES {
        let zygote = under(template, &acts::ACTS);
        let (mut refused, begun) = (0, Instant::now());
        for seed in 0..ROUNDS {
            let mut worker = zygote.spawn().unwrap();
            let said = worker.call_with(&Act::Forge(Forgery::Seeded(seed)), LONG, &mut session());
            match said {
                Ok(_) => {}
                Err(
                    WorkerError::Protocol(_)
                    | WorkerError::OutOfPhase { .. }
                    | WorkerError::OverBudget { .. },
                ) => {
                    refused += 1;
                    crate::gone(&mut worker);
                }
                Err(other) => panic!("{template}, seed {seed}: {other:?}"),
            }
        }
        assert!(refused > ROUNDS / 2, "{template}: {refused}");
        // Some send the very sockets by which their parent sees that they are gone.
        assert!(begun.elapsed() < Duration::from_secs(40), "their ends are waited for");
        let fine = zygote.spawn().unwrap().call(&Act::Warmed(3), LONG);
        assert!(matches!(fine, Ok(acts::Outcome::Number(9))), "{template}: {fine:?}");
    }
}

/// A worker that is asked for what is no value of its type ends by itself, or takes it for another value; it never hangs, and its
/// parent says what became of it.
#[test]
fn nothing_that_a_worker_is_asked_makes_it_hang() {
    if !able() {
        return;
    }
    for template in TEMPLATES {
        let ended = [
            asked(&under(template, &BYTES)),
            asked(&under(template, &FILES)),
            asked(&under(template, &BUFFER)),
        ];
        assert!(ended.iter().all(|ended| *ended > ROUNDS / 2), "{template}: {ended:?}");
    }
}

/// How many of these workers ended.
fn asked<A: Serialize + DeserializeOwned>(zygote: &Zygote<Nonsense, A>) -> u64 {
    let mut ended = 0;
    for seed in 0..ROUNDS {
        let nonsense = Nonsense(Seeded::new(seed).bytes(200));
        match zygote.spawn().unwrap().call(&nonsense, Duration::from_secs(20)) {
            Ok(_) => {}
            Err(WorkerError::Exited { .. } | WorkerError::Panicked { .. }) => ended += 1,
            Err(other) => panic!("seed {seed}: {other:?}"),
        }
    }
    ended
}

/// The entries of the program, as somebody has them who is wrong about what they are asked.
static BYTES: Entry<Nonsense, Bytes> = Entry::new("echo", |_, _| Bytes(Vec::new()));
static FILES: Entry<Nonsense, Vec<Descriptor>> = Entry::new("files", |_, _| Vec::new());
static BUFFER: Entry<Nonsense, (u8, u8)> = Entry::new("ends", |_, _| (0, 0));

/// Bytes as they are, without a length.
struct Nonsense(Vec<u8>);

impl Serialize for Nonsense {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut tuple = to.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Nonsense {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::new()))
    }
}
