//! Workers held to a policy: the presets `@preauth`, `@decoder` and `@renderer`, or one's own.

use belljar_policy::{Otherwise, Policy, SyscallPolicy};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{SetupError, WorkerError};
use super::permit::Needs;
use super::seal::{Limits, Seal};
use super::zygote::Builder;

/// What messages take.
const CHANNEL: &str = "@channel";
/// `EPERM`.
const REFUSED: u16 = 1;

impl Seal {
    /// The system calls that a policy lets through, and those that messages take. What it grants besides (paths, networks,
    /// variables) is of no use to a worker.
    ///
    /// ```
    /// use belljar::{policy::Policy, worker::Seal};
    ///
    /// let seal = Seal::of(&Policy::preset("@decoder")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SetupError::Filter`]: the policy has conditions, which stand in a group or in [`Seal::allow_when`].
    pub fn of(policy: &Policy) -> Result<Self, WorkerError> {
        let SyscallPolicy { allow, deny, when, otherwise, .. } = &policy.syscalls;
        if let Some(call) = when.keys().next() {
            let mistake = format!("a condition on {call} of a policy; use Seal::allow_when");
            return Err(WorkerError::setup(SetupError::Filter(mistake)));
        }
        let all = allow.iter().fold(Self::bare().allow(CHANNEL), |seal, call| seal.allow(&call.value));
        let less = deny.iter().fold(all, |seal, call| seal.refuse(&call.value, REFUSED));
        let kills = otherwise.as_ref().is_some_and(|setting| setting.value == Otherwise::Kill);
        Ok(if kills { less.kill_others() } else { less })
    }
}

impl Limits {
    /// The limits of a policy that hold for one process; where it has none, those of [`Limits::default`]. Its descriptors come
    /// on top of the four of every worker.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let (limits, own) = (&policy.limits, Self::default());
        let memory = limits.data.as_ref().or(limits.memory.as_ref()).map_or(own.memory, |size| size.value.0);
        let descriptors =
            limits.files.as_ref().map_or(own.descriptors, |files| files.value.saturating_add(OWN));
        Self {
            memory,
            descriptors,
            cpu: limits.cpu.as_ref().map(|cpu| cpu.value.as_secs().max(1)),
            file: limits.fsize.as_ref().map(|size| size.value.0),
            alone: limits.pids.as_ref().is_some_and(|pids| pids.value == 1),
        }
    }
}

/// Descriptors of every worker: the standard ones and its channel.
const OWN: u32 = 4;

impl<Q, A, N> Builder<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    /// Holds workers to a policy: [`Seal::of`] and [`Limits::of`] it.
    ///
    /// ```no_run
    /// use belljar::policy::Policy;
    /// use belljar::worker::{Entry, Zygote};
    ///
    /// static WORDS: Entry<String, usize> = Entry::new("words", |text, _| text.split_whitespace().count());
    ///
    /// let zygote = Zygote::builder(&Policy::none(), &WORDS).under(&Policy::preset("@decoder")?)?.start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Seal::of`].
    pub fn under(self, policy: &Policy) -> Result<Self, WorkerError> {
        Ok(self.seal(Seal::of(policy)?).limits(Limits::of(policy)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_a_template_are_those_of_its_preset() {
        let limits = Limits::of(&Policy::preset("@preauth").unwrap());
        assert_eq!((limits.file, limits.descriptors, limits.alone), (Some(0), 5, true));
        let none = Limits::of(&Policy::none());
        assert_eq!(none, Limits::default());
    }

    #[test]
    fn conditions_are_not_lost_in_silence() {
        let policy =
            Policy::none().allow_syscall("read").unwrap().set("syscalls.when", "ioctl: arg1 == TCGETS");
        assert!(matches!(
            Seal::of(&policy.unwrap()),
            Err(WorkerError::Setup { why: SetupError::Filter(_), .. })
        ));
    }
}
