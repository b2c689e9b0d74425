//! What a worker may ask its parent for, by phase, and how often. A table, looked at before anything of a question is read but
//! which one it is.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::code::{first_number, variants};
use super::error::{ProtocolError, SetupError, WorkerError};

/// What the workers of an entry may ask for: two enums, one variant for each question.
pub trait Needs: 'static {
    /// Questions.
    type Ask: Serialize + DeserializeOwned;
    /// Replies.
    type Told: Serialize + DeserializeOwned;
}

/// Of workers that ask for nothing.
#[derive(Debug)]
pub enum Nothing {}

impl Needs for Nothing {
    type Ask = Unasked;
    type Told = Unasked;
}

/// A question that nobody can ask.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub enum Unasked {}

/// How often something may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Allow {
    /// As often as the worker likes.
    Always,
    /// Once in the life of the worker.
    Once,
    /// So many times in the life of the worker.
    AtMost(u32),
    /// Never. So is everything that the table does not name; a row says that it was thought of.
    Never,
}

/// One row of a table of permits.
#[derive(Clone, Copy, Debug)]
pub struct Permit<P> {
    phase: P,
    ask: &'static str,
    allow: Allow,
}

impl<P> Permit<P> {
    /// In this phase the variant named `ask` is allowed so often.
    #[must_use]
    pub const fn new(phase: P, ask: &'static str, allow: Allow) -> Self {
        Self { phase, ask, allow }
    }

    /// [`Allow::Always`].
    #[must_use]
    pub const fn always(phase: P, ask: &'static str) -> Self {
        Self::new(phase, ask, Allow::Always)
    }

    /// [`Allow::Once`].
    #[must_use]
    pub const fn once(phase: P, ask: &'static str) -> Self {
        Self::new(phase, ask, Allow::Once)
    }

    /// [`Allow::AtMost`].
    #[must_use]
    pub const fn at_most(phase: P, ask: &'static str, times: u32) -> Self {
        Self::new(phase, ask, Allow::AtMost(times))
    }

    /// [`Allow::Never`].
    #[must_use]
    pub const fn never(phase: P, ask: &'static str) -> Self {
        Self::new(phase, ask, Allow::Never)
    }
}

/// The parent's side of questions: what may be asked when, and the answers.
///
/// ```
/// use belljar::worker::{Monitor, Needs, Permit};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum Ask {
///     Banner,
///     Sign(Vec<u8>),
/// }
///
/// #[derive(Serialize, Deserialize)]
/// enum Told {
///     Banner(String),
///     Signature(Option<Vec<u8>>),
/// }
///
/// struct Login;
/// impl Needs for Login {
///     type Ask = Ask;
///     type Told = Told;
/// }
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Phase {
///     Hello,
///     KeyExchange,
///     Done,
/// }
///
/// struct Keys;
/// impl Monitor for Keys {
///     type Needs = Login;
///     type Phase = Phase;
///     const TABLE: &'static [Permit<Phase>] = &[
///         Permit::once(Phase::Hello, "Banner"),
///         Permit::at_most(Phase::KeyExchange, "Sign", 2),
///     ];
///
///     fn answer(&mut self, ask: Ask, phase: &mut Phase) -> Told {
///         match ask {
///             Ask::Banner => {
///                 *phase = Phase::KeyExchange;
///                 Told::Banner("hello".to_owned())
///             }
///             Ask::Sign(_what) => {
///                 *phase = Phase::Done;
///                 Told::Signature(None)
///             }
///         }
///     }
/// }
/// ```
pub trait Monitor {
    /// What may be asked at all.
    type Needs: Needs;
    /// The phases of the work. The parent moves from one to the next, nobody else.
    type Phase: Copy + PartialEq + Debug + 'static;
    /// What may be asked in which phase, and how often. What is not in it is never allowed. Names are those of the variants as
    /// serde knows them; a name that no variant has is an error when the work starts.
    const TABLE: &'static [Permit<Self::Phase>];

    /// Answers a question that the table permits. Everything in it comes from somebody who is not trusted.
    fn answer(
        &mut self,
        ask: <Self::Needs as Needs>::Ask,
        phase: &mut Self::Phase,
    ) -> <Self::Needs as Needs>::Told;
}

/// A monitor at work on one worker: the phase, and what was asked so far. Use a new one for each worker.
#[derive(Debug)]
pub struct Session<M: Monitor> {
    monitor: M,
    phase: M::Phase,
    /// How often each row of the table was used.
    used: Vec<u32>,
    names: &'static [&'static str],
}

impl<M: Monitor> Session<M> {
    /// Begins in this phase.
    ///
    /// # Errors
    /// [`SetupError::Table`]: the table names what no variant is called, or the same twice.
    pub fn new(monitor: M, phase: M::Phase) -> Result<Self, WorkerError> {
        let mistake = |text: String| WorkerError::setup(SetupError::Table(text));
        let names = variants::<<M::Needs as Needs>::Ask>();
        let names = names.ok_or_else(|| mistake("questions must be an enum".to_owned()))?;
        for (at, row) in M::TABLE.iter().enumerate() {
            if !names.contains(&row.ask) {
                return Err(mistake(format!("there is no question `{}`", row.ask)));
            }
            let same = |other: &&Permit<M::Phase>| other.ask == row.ask && other.phase == row.phase;
            if M::TABLE.iter().take(at).any(|other| same(&other)) {
                return Err(mistake(format!("`{}` has two rows in the phase {:?}", row.ask, row.phase)));
            }
        }
        Ok(Self { monitor, phase, used: vec![0; M::TABLE.len()], names })
    }

    /// The phase.
    #[must_use]
    pub fn phase(&self) -> M::Phase {
        self.phase
    }

    /// Moves to another phase.
    pub fn enter(&mut self, phase: M::Phase) {
        self.phase = phase;
    }

    /// The monitor.
    #[must_use]
    pub fn monitor(&self) -> &M {
        &self.monitor
    }

    /// Ends the session.
    #[must_use]
    pub fn into_monitor(self) -> M {
        self.monitor
    }

    /// Decides on a question by the number of its variant alone, and counts it.
    pub(super) fn permit(&mut self, body: &[u8]) -> Result<(), WorkerError> {
        let number = first_number(body).and_then(|number| usize::try_from(number).ok());
        let name = number.and_then(|number| self.names.get(number)).copied();
        let ask = name.ok_or(WorkerError::Protocol(ProtocolError::NotDue))?;
        let phase = || format!("{:?}", self.phase);
        let row = M::TABLE.iter().position(|row| row.ask == ask && row.phase == self.phase);
        let row = row.and_then(|at| Some((self.used.get_mut(at)?, M::TABLE.get(at)?.allow)));
        let (used, most) = match row {
            None | Some((_, Allow::Never)) => return Err(WorkerError::OutOfPhase { ask, phase: phase() }),
            Some((_, Allow::Always)) => return Ok(()),
            Some((used, Allow::Once)) => (used, 1),
            Some((used, Allow::AtMost(most))) => (used, most),
        };
        if *used >= most {
            return Err(WorkerError::OverBudget { ask, most, phase: phase() });
        }
        *used = used.saturating_add(1);
        Ok(())
    }

    pub(super) fn answer(&mut self, ask: <M::Needs as Needs>::Ask) -> <M::Needs as Needs>::Told {
        self.monitor.answer(ask, &mut self.phase)
    }
}

/// The monitor of workers that ask for nothing: whatever they ask ends them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    type Needs = Nothing;
    type Phase = ();
    const TABLE: &'static [Permit<()>] = &[];

    fn answer(&mut self, ask: Unasked, (): &mut ()) -> Unasked {
        ask
    }
}
