//! From a question to a verdict, apart from how the user is reached.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use super::never::Never;
use super::prompt::Want;
use super::rate::Rate;

/// Questions within a minute.
const PER_MINUTE: usize = 20;

/// Answers that are remembered. Beyond them everything new is refused: a jar must not fill the supervisor's memory.
const REMEMBERED: usize = 4096;

/// What a user can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Granted until this run ends.
    Once,
    /// Granted until this run ends, and in later runs by a line in the policy file.
    Always,
    /// Refused until this run ends.
    Never,
}

impl Answer {
    /// Every answer with its word.
    pub const WORDS: [(&'static str, Self); 3] =
        [("once", Self::Once), ("always", Self::Always), ("never", Self::Never)];

    /// The answer that a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, answer)| *answer)
    }
}

/// Why a question ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The user said so, now or before.
    Answered(Answer),
    /// No prompt can grant it; this is what it would give away.
    NeverGranted(&'static str),
    /// A rule hides it by name.
    Hidden,
    /// Too many questions within a minute, or at once.
    TooOften,
    /// More answers than are remembered.
    TooMany,
    /// Nobody answered in time.
    NoAnswer,
    /// Nobody can be asked any more.
    NobodyThere,
    /// The program has ended.
    Over,
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(Answer::Once) => out.write_str("granted once"),
            Self::Answered(Answer::Always) => out.write_str("granted always"),
            Self::Answered(Answer::Never) => out.write_str("refused by the user"),
            Self::NeverGranted(what) => write!(out, "no prompt can grant it: {what}"),
            Self::Hidden => out.write_str("a rule hides it"),
            Self::TooOften => out.write_str("too many questions"),
            Self::TooMany => out.write_str("too many answers to remember"),
            Self::NoAnswer => out.write_str("no answer in time"),
            Self::NobodyThere => out.write_str("nobody can be asked"),
            Self::Over => out.write_str("the program has ended"),
        }
    }
}

/// The end of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Why.
    pub why: Why,
    /// The user was asked just now.
    pub asked: bool,
}

impl Settled {
    pub(crate) fn unasked(why: Why) -> Self {
        Self { why, asked: false }
    }

    /// It is granted. Whatever is no clear yes is a no.
    #[must_use]
    pub fn granted(self) -> bool {
        matches!(self.why, Why::Answered(Answer::Once | Answer::Always))
    }
}

/// What to do with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Considered {
    /// The user need not be asked.
    Settled(Settled),
    /// The user is to be asked; it was counted.
    Ask,
}

/// What was answered in this run, and how often was asked.
#[derive(Debug)]
pub struct Asker {
    never: Never,
    rate: Rate,
    answers: HashMap<Want, Answer>,
}

impl Asker {
    /// Nothing was answered yet.
    ///
    /// ```
    /// use belljar::ask::{Answer, Asker, Considered, Never, Want};
    /// let mut asker = Asker::new(Never::new(None, []));
    /// let want = Want::Read("/srv/data".into());
    /// assert_eq!(asker.consider(&want, std::time::Instant::now()), Considered::Ask);
    /// assert!(asker.settle(want.clone(), Answer::Once).granted());
    /// assert_ne!(asker.consider(&want, std::time::Instant::now()), Considered::Ask);
    /// ```
    #[must_use]
    pub fn new(never: Never) -> Self {
        Self { never, rate: Rate::per_minute(PER_MINUTE), answers: HashMap::new() }
    }

    /// Whether the user has to be asked at `now`.
    pub fn consider(&mut self, want: &Want, now: Instant) -> Considered {
        let refused = |why| Considered::Settled(Settled::unasked(why));
        if let Some(settled) = self.known(want) {
            return Considered::Settled(settled);
        }
        if self.answers.len() >= REMEMBERED {
            return refused(Why::TooMany);
        }
        if self.rate.take(now) { Considered::Ask } else { refused(Why::TooOften) }
    }

    /// What is known without asking.
    #[must_use]
    pub fn known(&self, want: &Want) -> Option<Settled> {
        let never = self.never.refuses(want).map(Why::NeverGranted);
        never.or_else(|| self.answered(want).map(Why::Answered)).map(Settled::unasked)
    }

    /// What was said before. Who may write may read; a no to reading is one to writing.
    fn answered(&self, want: &Want) -> Option<Answer> {
        let path = match want {
            Want::Read(path) => Want::Write(path.clone()),
            Want::Write(path) => Want::Read(path.clone()),
            Want::Execute(_) | Want::Connect(_) => return self.answers.get(want).copied(),
        };
        let implied = self.answers.get(&path).copied().filter(|answer| match want {
            Want::Read(_) => *answer != Answer::Never,
            _ => *answer == Answer::Never,
        });
        self.answers.get(want).copied().or(implied)
    }

    /// Remembers the user's answer.
    pub fn settle(&mut self, want: Want, answer: Answer) -> Settled {
        self.answers.insert(want, answer);
        Settled { why: Why::Answered(answer), asked: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn asker() -> Asker {
        Asker::new(Never::new(Some("/home/u".as_ref()), []))
    }

    fn read(number: usize) -> Want {
        Want::Read(format!("/srv/{number}").into())
    }

    #[test]
    fn an_answer_holds_for_the_run() {
        let (mut asker, now) = (asker(), Instant::now());
        asker.settle(read(1), Answer::Never);
        let known = Settled::unasked(Why::Answered(Answer::Never));
        assert_eq!(asker.consider(&read(1), now), Considered::Settled(known));
        assert!(!known.granted());
    }

    #[test]
    fn writing_implies_reading_and_no_reading_no_writing() {
        let (mut asker, now) = (asker(), Instant::now());
        asker.settle(Want::Write("/srv/1".into()), Answer::Once);
        assert_eq!(
            asker.consider(&read(1), now),
            Considered::Settled(Settled::unasked(Why::Answered(Answer::Once)))
        );
        asker.settle(read(2), Answer::Never);
        let write = Want::Write("/srv/2".into());
        assert_eq!(
            asker.consider(&write, now),
            Considered::Settled(Settled::unasked(Why::Answered(Answer::Never)))
        );
        asker.settle(read(3), Answer::Always);
        assert_eq!(asker.consider(&Want::Write("/srv/3".into()), now), Considered::Ask);
    }

    #[test]
    fn a_flood_is_refused_after_a_few_and_asked_again_a_minute_later() {
        let (mut asker, now) = (asker(), Instant::now());
        let asked = (0..100_000).filter(|n| asker.consider(&read(*n), now) == Considered::Ask).count();
        assert_eq!(asked, PER_MINUTE);
        assert_eq!(asker.consider(&read(7), now + Duration::from_secs(60)), Considered::Ask);
    }

    #[test]
    fn memory_is_bounded() {
        let (mut asker, now) = (asker(), Instant::now());
        assert!((0..REMEMBERED).all(|number| asker.settle(read(number), Answer::Once).granted()));
        let full = Considered::Settled(Settled::unasked(Why::TooMany));
        assert_eq!(asker.consider(&read(REMEMBERED), now), full);
    }

    #[test]
    fn what_is_never_granted_is_never_asked() {
        let (mut asker, now) = (asker(), Instant::now());
        let key = Want::Read("/home/u/.ssh/id".into());
        asker.settle(key.clone(), Answer::Always);
        assert!(matches!(
            asker.consider(&key, now),
            Considered::Settled(Settled { why: Why::NeverGranted(_), .. })
        ));
    }
}
