//! From a question to a verdict, apart from how the user is reached.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
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
    /// A rule could grant it to the next run, and there is no file to write one to.
    NoFile,
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
            Self::NoFile => out.write_str("only a rule can grant it, before a run starts"),
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
    /// "Always" is offered.
    writes_down: bool,
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
        Self { never, rate: Rate::per_minute(PER_MINUTE), answers: HashMap::new(), writes_down: false }
    }

    /// The user can answer "always" too.
    #[must_use]
    pub fn writing_down(mut self, writes_down: bool) -> Self {
        self.writes_down = writes_down;
        self
    }

    /// Whether the user has to be asked at `now`.
    #[must_use]
    pub fn consider(&mut self, want: &Want, now: Instant) -> Considered {
        let refused = |why| Considered::Settled(Settled::unasked(why));
        if let Some(settled) = self.known(want) {
            return Considered::Settled(settled);
        }
        if !self.writes_down && !want.offers(Answer::Once) {
            return refused(Why::NoFile);
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

    /// What was said before. Who may write may read, and make it again when it is gone; a no to less is one to more.
    fn answered(&self, want: &Want) -> Option<Answer> {
        let said = |want: &Want| self.answers.get(want).copied();
        let (less, more) = kin(want);
        let refused = || less.iter().find_map(|want| said(want).filter(|answer| *answer == Answer::Never));
        let granted = || more.iter().find_map(|want| said(want).filter(|answer| *answer != Answer::Never));
        said(want).or_else(refused).or_else(granted)
    }

    /// An answer has granted something below this folder: that it is there was said with it.
    #[must_use]
    pub fn leads_to_granted(&self, folder: &Path) -> bool {
        let granted = |(want, answer): (&Want, &Answer)| {
            *answer != Answer::Never
                && !matches!(want, Want::Execute(_))
                && want.path().is_some_and(|path| path.starts_with(folder) && path != folder)
        };
        self.answers.iter().any(granted)
    }

    /// Remembers the user's answer.
    pub fn settle(&mut self, want: Want, answer: Answer) -> Settled {
        self.answers.insert(want, answer);
        Settled { why: Why::Answered(answer), asked: true }
    }
}

/// Wishes that ask for less of the same, and those that ask for more.
fn kin(want: &Want) -> (Vec<Want>, Vec<Want>) {
    let all = |path: &Path| [Want::Read(path.into()), Want::Write(path.into()), Want::Create(path.into())];
    let Some([read, write, create]) = want.path().map(all) else { return (vec![], vec![]) };
    match want {
        Want::Read(_) => (vec![], vec![write, create]),
        Want::Write(_) => (vec![read], vec![create]),
        Want::Create(_) => (vec![read, write.clone()], vec![write]),
        Want::Unnamed(_) | Want::Execute(_) | Want::Connect(_) => (vec![], vec![]),
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
    fn what_was_made_may_be_read_changed_and_made_again() {
        let (mut asker, now) = (asker(), Instant::now());
        let wants = |name: &str| {
            let path = || format!("/srv/f/{name}").into();
            [Want::Read(path()), Want::Write(path()), Want::Create(path())]
        };
        let [read, write, create] = wants("a");
        asker.settle(create, Answer::Once);
        assert!([read, write].iter().all(|want| asker.known(want).unwrap().granted()));
        let [read, write, create] = wants("b");
        asker.settle(write, Answer::Never);
        assert!(!asker.known(&create).unwrap().granted());
        assert_eq!(asker.consider(&read, now), Considered::Ask);
        assert!(asker.leads_to_granted("/srv/f".as_ref()) && asker.leads_to_granted("/srv".as_ref()));
        assert!(!asker.leads_to_granted("/srv/f/a".as_ref()) && !asker.leads_to_granted("/home".as_ref()));
    }

    #[test]
    fn a_program_is_no_question_where_nothing_can_be_written_down() {
        let now = Instant::now();
        let program = Want::Execute("/srv/tool".into());
        let without = asker().consider(&program, now);
        assert_eq!(without, Considered::Settled(Settled::unasked(Why::NoFile)));
        assert_eq!(asker().writing_down(true).consider(&program, now), Considered::Ask);
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
