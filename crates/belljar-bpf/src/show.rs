//! Conditions as text, in the language that they are read from.

use std::fmt::{self, Display};

use crate::cond::{Cmp, Cond, Node, Test, split_tree};
use crate::syscalls::argument_width;

impl fmt::Display for Cmp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Cmp::Eq => "==",
            Cmp::Ne => "!=",
            Cmp::Lt => "<",
            Cmp::Le => "<=",
            Cmp::Gt => ">",
            Cmp::Ge => ">=",
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown { nodes: &[Node::Test(*self)], call: None }.fmt(out)
    }
}

impl fmt::Display for Cond {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown { nodes: self.nodes(), call: None }.fmt(out)
    }
}

/// A condition as text.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'c> {
    pub(crate) nodes: &'c [Node],
    /// The call it is bound to: a mask that is only the kernel's own cut of the argument is left out.
    pub(crate) call: Option<u32>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, operands)) = self.nodes.split_first() else { return Ok(()) };
        let operands = Shown { nodes: operands, ..*self };
        match first {
            Node::Test(test) => self.test(out, test),
            Node::Not => {
                out.write_str("!")?;
                operands.operand(out)
            }
            Node::All(count) => operands.chain(out, *count, " && "),
            Node::Any(count) => operands.chain(out, *count, " || "),
        }
    }
}

impl Shown<'_> {
    fn test(&self, out: &mut fmt::Formatter<'_>, test: &Test) -> fmt::Result {
        let Test { arg, mask, cmp, value } = test;
        let whole = self.call.map_or(u64::MAX, |nr| argument_width(nr, *arg).mask());
        if *mask == whole {
            return write!(out, "arg{arg} {cmp} {value:#x}");
        }
        write!(out, "arg{arg} & {mask:#x} {cmp} {value:#x}")
    }

    fn chain(self, out: &mut fmt::Formatter<'_>, count: u16, sign: &str) -> fmt::Result {
        let mut rest = self.nodes;
        for index in 0..count {
            let (first, after) = split_tree(rest);
            if index > 0 {
                out.write_str(sign)?;
            }
            Shown { nodes: first, ..self }.operand(out)?;
            rest = after;
        }
        Ok(())
    }

    /// In parentheses unless it is a single test.
    fn operand(self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.nodes.first(), Some(Node::Test(_))) {
            return self.fmt(out);
        }
        out.write_str("(")?;
        self.fmt(out)?;
        out.write_str(")")
    }
}
