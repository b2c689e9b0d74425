//! What is asked of a call, as a graph: every question once, and none whose answer is known on the way to it.
//!
//! It is written from its ends to its start: where both answers lead is known when a question is added. Questions that are alike
//! and lead to the same places are one, whichever calls they are asked of.

use crate::action::Action;
use crate::facts::Fact;
use crate::insn::{JEQ, JGE, JGT, JSET};
use crate::word::Word;

/// Where an answer leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    /// To a verdict.
    Verdict(Action),
    /// To the question at this position.
    At(usize),
}

/// Where to go when something holds, and when it does not.
pub(crate) type Exits = (Label, Label);

/// A comparison of `word` with `k`, and where its answers lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) code: u16,
    pub(crate) k: u32,
    pub(crate) word: Word,
    pub(crate) yes: Label,
    pub(crate) no: Label,
}

impl Question {
    /// Where a word of this value leads.
    pub(crate) const fn leads(&self, value: u32) -> Label {
        let value = value & self.word.mask;
        let holds = match self.code {
            JEQ => value == self.k,
            JGT => value > self.k,
            JGE => value >= self.k,
            _ => value & self.k != 0,
        };
        if holds { self.yes } else { self.no }
    }

    /// A row for it: most questions differ in their constant.
    const fn row(&self) -> usize {
        (self.k.wrapping_add(self.word.offset).wrapping_mul(0x9E37_79B1) >> (u32::BITS - ROWS)) as usize
    }

    /// Bits of the word that the answer follows from.
    pub(crate) const fn bits(&self) -> u32 {
        if self.code == JSET { self.word.mask & self.k } else { self.word.mask }
    }
}

/// Rows of the table in which equal questions are found, as a power of two.
const ROWS: u32 = 9;

/// The questions so far: an answer leads to an earlier one, or to a verdict.
#[derive(Debug)]
pub(crate) struct Graph {
    questions: Vec<Question>,
    /// For each question the one before it in its row.
    earlier: Vec<Option<usize>>,
    /// The last question of each row.
    rows: Vec<Option<usize>>,
}

impl Graph {
    pub(crate) fn new() -> Graph {
        let (questions, earlier) = (Vec::with_capacity(512), Vec::with_capacity(512));
        Graph { questions, earlier, rows: vec![None; 1 << ROWS] }
    }

    /// Asks whether `word`, compared by `code` with `k`, holds: the entry of the question, or of what it comes to.
    pub(crate) fn branch(&mut self, code: u16, k: u32, word: Word, (yes, no): Exits) -> Label {
        let (yes, no) = match (code, k.is_power_of_two()) {
            (JEQ, _) => (self.past(yes, &[Fact::one(word, k)]), self.past_repeated(no, word, k)),
            (JSET, one) => {
                let bits = Word { mask: k, ..word };
                let set = if one { self.past(yes, &[Fact::one(bits, k)]) } else { yes };
                (set, self.past(no, &[Fact::one(bits, 0)]))
            }
            _ => (yes, no),
        };
        if yes == no { yes } else { self.add(Question { code, k, word, yes, no }) }
    }

    fn add(&mut self, question: Question) -> Label {
        let Some(row) = self.rows.get_mut(question.row()) else { return question.no };
        let mut known = *row;
        while let Some(at) = known {
            if self.questions.get(at) == Some(&question) {
                return Label::At(at);
            }
            known = self.earlier.get(at).copied().flatten();
        }
        let at = self.questions.len();
        self.earlier.push(row.replace(at));
        self.questions.push(question);
        Label::At(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.questions.len()
    }

    pub(crate) fn question(&self, label: Label) -> Option<&Question> {
        match label {
            Label::At(at) => self.questions.get(at),
            Label::Verdict(_) => None,
        }
    }

    /// Where `label` leads when `word` is known not to be `value`.
    fn past_repeated(&self, mut label: Label, word: Word, value: u32) -> Label {
        while let Some(&Question { code: JEQ, k, word: of, no, .. }) = self.question(label) {
            if (of, k) != (word, value) {
                break;
            }
            label = no;
        }
        label
    }
}

/// What is known spares questions.
impl Graph {
    /// Where `label` leads when these facts are known: past every question that they answer.
    pub(crate) fn past(&self, label: Label, facts: &[Fact]) -> Label {
        match facts.iter().position(Fact::is_open) {
            Some(open) => self.past_each(label, facts, open),
            None => self.past_known(label, facts),
        }
    }

    /// The same where one fact leaves several values: only what all of them come to.
    fn past_each(&self, label: Label, facts: &[Fact], open: usize) -> Label {
        let (before, rest) = facts.split_at(open);
        let Some((several, after)) = rest.split_first() else { return label };
        let mut ends = several.values.iter().map(|value| {
            let one = Fact::one(several.word, *value);
            let facts: Vec<Fact> = before.iter().cloned().chain([one]).chain(after.iter().cloned()).collect();
            self.past(label, &facts)
        });
        let Some(end) = ends.next() else { return label };
        if ends.all(|other| other == end) {
            return end;
        }
        let fewer: Vec<Fact> = before.iter().chain(after).cloned().collect();
        self.past(label, &fewer)
    }

    fn past_known(&self, mut label: Label, facts: &[Fact]) -> Label {
        while let Some(question) = self.question(label) {
            let known = facts.iter().find_map(|fact| fact.value(question.word, question.bits()));
            let Some(value) = known else { break };
            label = question.leads(value);
        }
        label
    }
}
