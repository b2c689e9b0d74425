//! A graph of questions to a program, written from its end to its start.
//!
//! Classic BPF jumps forward only and its conditional jumps reach 255 instructions. Written backwards, every target is
//! known when a jump is written, so a far one gets a `ja` (or a copy of the return) right behind the jump, in one
//! pass. A question whose word is not in the accumulator on every way to it has its load right before it: ways that bring the
//! word jump behind the load.

use crate::action::Action;
use crate::graph::{Graph, Label, Question};
use crate::insn::{AND_K, Insn, JA, LD_ABS, RET_K};
use crate::word::Word;

/// What is left to be done on arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    /// Nothing: the accumulator holds the word.
    Ready,
    /// Its other bits are cut off.
    Mask,
    /// It is loaded.
    Load,
}

impl Arrival {
    fn with(now: Option<Word>, wanted: Word) -> Arrival {
        match now {
            Some(word) if word == wanted => Arrival::Ready,
            Some(word) if word == Word::whole(wanted.offset) => Arrival::Mask,
            _ => Arrival::Load,
        }
    }
}

/// A question that the program asks: how most is left to be done on a way to it, and where it is.
#[derive(Clone, Copy, Debug)]
struct Place {
    most: Arrival,
    seen: bool,
    /// Position of the question itself, from the end.
    at: usize,
}

/// Reach of a conditional jump, less the few instructions that placing its second target can add.
const REACH: usize = 255 - 8;

/// The program so far, last instruction first.
struct Assembler {
    reversed: Vec<Insn>,
    places: Vec<Place>,
    /// Nearest return of each verdict.
    returns: Vec<(Action, usize)>,
    /// Nearest jump to a position out of reach.
    bridges: Vec<(usize, usize)>,
}

impl Graph {
    /// The program that starts at `entry` with an empty accumulator. What no way leads to is left out.
    pub(crate) fn assemble(&self, entry: Label) -> Vec<Insn> {
        let (order, places) = self.visit(entry);
        let (returns, bridges) = (Vec::with_capacity(8), Vec::with_capacity(8));
        let reversed = Vec::with_capacity(2 * order.len() + 8);
        let mut asm = Assembler { reversed, places, returns, bridges };
        for label in order {
            asm.write(self, label);
        }
        if let Label::Verdict(action) = entry {
            asm.push(RET_K, action.raw());
        }
        asm.reversed.reverse();
        asm.reversed
    }

    /// What is reached from `entry`, each question behind both that it leads to, and how it is arrived at.
    fn visit(&self, entry: Label) -> (Vec<Label>, Vec<Place>) {
        let unseen = Place { most: Arrival::Ready, seen: false, at: 0 };
        let (mut order, mut places) = (Vec::new(), vec![unseen; self.len()]);
        let mut open = vec![(entry, None, false)];
        while let Some((label, now, left)) = open.pop() {
            let Some(question) = self.question(label) else { continue };
            if left {
                order.push(label);
                continue;
            }
            let Some(place) = place(&mut places, label) else { continue };
            place.most = place.most.max(Arrival::with(now, question.word));
            if !std::mem::replace(&mut place.seen, true) {
                let Question { word, yes, no, .. } = *question;
                open.extend([(label, None, true), (no, Some(word), false), (yes, Some(word), false)]);
            }
        }
        (order, places)
    }
}

fn place(places: &mut [Place], label: Label) -> Option<&mut Place> {
    match label {
        Label::At(at) => places.get_mut(at),
        Label::Verdict(_) => None,
    }
}

impl Assembler {
    fn write(&mut self, graph: &Graph, label: Label) {
        let Some(Question { code, k, word, yes, no }) = graph.question(label).copied() else { return };
        let no = self.target(graph, no, word);
        let yes = self.target(graph, yes, word);
        let here = self.reversed.len();
        let offset = |target: usize| u8::try_from(here - target - 1).unwrap_or(u8::MAX);
        self.reversed.push(Insn { code, jt: offset(yes), jf: offset(no), k });
        let Some(place) = place(&mut self.places, label) else { return };
        place.at = here;
        let most = place.most;
        if most >= Arrival::Mask && word.mask != u32::MAX {
            self.push(AND_K, word.mask);
        }
        if most == Arrival::Load {
            self.push(LD_ABS, word.offset);
        }
    }

    /// A position within reach of the next instruction that does what `label` says when the accumulator holds `now`.
    fn target(&mut self, graph: &Graph, label: Label, now: Word) -> usize {
        if let Label::Verdict(action) = label {
            return self.place_return(action);
        }
        let wanted = graph.question(label).map_or(now, |question| question.word);
        let at = place(&mut self.places, label).map_or(0, |place| place.at);
        let masks = usize::from(wanted.mask != u32::MAX);
        self.near(match Arrival::with(Some(now), wanted) {
            Arrival::Ready => at,
            Arrival::Mask => at + masks,
            Arrival::Load => at + masks + 1,
        })
    }

    fn place_return(&mut self, action: Action) -> usize {
        let here = self.reversed.len();
        match self.returns.iter_mut().find(|(of, _)| *of == action) {
            Some((_, position)) if here - *position <= REACH => return *position,
            Some((_, position)) => *position = here,
            None => self.returns.push((action, here)),
        }
        self.push(RET_K, action.raw());
        here
    }

    fn near(&mut self, target: usize) -> usize {
        let here = self.reversed.len();
        if here - target <= REACH {
            return target;
        }
        match self.bridges.iter_mut().find(|(to, _)| *to == target) {
            Some((_, position)) if here - *position <= REACH => return *position,
            Some((_, position)) => *position = here,
            None => self.bridges.push((target, here)),
        }
        self.push(JA, u32::try_from(here - target - 1).unwrap_or(u32::MAX));
        here
    }

    fn push(&mut self, code: u16, k: u32) {
        self.reversed.push(Insn { code, jt: 0, jf: 0, k });
    }
}
