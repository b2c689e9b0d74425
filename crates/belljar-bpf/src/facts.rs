//! What is known of a call's words on the way to a question.

use crate::word::Word;

/// A word is one of these values.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) word: Word,
    pub(crate) values: Vec<u32>,
}

/// Longer lists say too little for what looking at each value takes.
pub(crate) const MOST_VALUES: usize = 8;

/// As many facts are kept.
const MOST_FACTS: usize = 8;

/// As many facts leave several values: all that they allow together is looked at.
const MOST_OPEN: usize = 2;

impl Fact {
    pub(crate) fn one(word: Word, value: u32) -> Fact {
        Fact { word, values: vec![value] }
    }

    /// Adds what is known besides.
    pub(crate) fn join(known: &mut Vec<Fact>, more: Vec<Fact>) {
        for fact in more {
            let open = known.iter().filter(|fact| fact.is_open()).count();
            if !Fact::are_enough(known) && (!fact.is_open() || open < MOST_OPEN) {
                known.push(fact);
            }
        }
    }

    /// No more are kept.
    pub(crate) const fn are_enough(known: &[Fact]) -> bool {
        known.len() >= MOST_FACTS
    }

    /// It leaves several values.
    pub(crate) const fn is_open(&self) -> bool {
        self.values.len() > 1
    }

    /// The value of this word, if the fact is about it and has one alone.
    pub(crate) fn value(&self, word: Word, bits: u32) -> Option<u32> {
        let known = self.word.offset == word.offset && bits & !self.word.mask == 0;
        if let ([only], true) = (self.values.as_slice(), known) { Some(*only) } else { None }
    }
}
