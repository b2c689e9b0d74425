//! Conditions on the arguments of a call, as data.

use std::borrow::Cow;

use crate::error::BindError;
use crate::syscalls::argument_width;

/// How a test compares. Ordered comparisons are unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cmp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Cmp {
    /// True if `left` stands in this relation to `right`.
    #[must_use]
    pub const fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Cmp::Eq => left == right,
            Cmp::Ne => left != right,
            Cmp::Lt => left < right,
            Cmp::Le => left <= right,
            Cmp::Gt => left > right,
            Cmp::Ge => left >= right,
        }
    }
}

/// One comparison: `arg & mask` against `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Test {
    /// Argument, 0 to 5.
    pub arg: u8,
    /// Bits of the argument that count.
    pub mask: u64,
    /// The relation.
    pub cmp: Cmp,
    /// The right side.
    pub value: u64,
}

impl Test {
    /// `argN == value`
    #[must_use]
    pub const fn eq(arg: u8, value: u64) -> Test {
        Test { arg, mask: u64::MAX, cmp: Cmp::Eq, value }
    }

    /// `argN & mask == value`
    #[must_use]
    pub const fn masked_eq(arg: u8, mask: u64, value: u64) -> Test {
        Test { arg, mask, cmp: Cmp::Eq, value }
    }

    /// The verdict of this test on the six arguments.
    #[must_use]
    pub fn holds(&self, args: &[u64; 6]) -> bool {
        let arg = args.get(usize::from(self.arg)).copied().unwrap_or(0);
        self.cmp.holds(arg & self.mask, self.value)
    }

    /// The same test with the mask cut to what the kernel looks at for call `nr`.
    fn bind(self, nr: u32) -> Result<Test, BindError> {
        if self.arg > 5 {
            return Err(BindError::NoSuchArgument { arg: self.arg });
        }
        let width = argument_width(nr, self.arg);
        let fit =
            |value| narrow(value, width.mask()).ok_or(BindError::TooWide { arg: self.arg, value, width });
        let bound = Test { mask: fit(self.mask)?, value: fit(self.value)?, ..self };
        if bound.is_constant() { Err(BindError::Constant { arg: self.arg }) } else { Ok(bound) }
    }

    /// True if no argument can change the verdict: surely a mistake of the writer.
    const fn is_constant(&self) -> bool {
        match self.cmp {
            Cmp::Eq | Cmp::Ne => self.mask == 0 || self.value & !self.mask != 0,
            Cmp::Lt | Cmp::Ge => self.value == 0 || self.value > self.mask,
            Cmp::Le | Cmp::Gt => self.value >= self.mask,
        }
    }
}

/// Cuts `value` to the bits of `kept`. A value with all upper bits set is a negative number or a complement;
/// any other upper bit would be lost silently, hence `None`.
const fn narrow(value: u64, kept: u64) -> Option<u64> {
    let upper = value & !kept;
    if upper == 0 || upper == !kept { Some(value & kept) } else { None }
}

/// One element of a condition in prefix order: an operator is followed by its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// A comparison.
    Test(Test),
    /// True if all of the next `n` operands are.
    All(u16),
    /// True if one of the next `n` operands is.
    Any(u16),
    /// The opposite of the next operand.
    Not,
}

impl Node {
    /// How many operands follow.
    pub(crate) const fn operands(self) -> u16 {
        match self {
            Node::Test(_) => 0,
            Node::All(n) | Node::Any(n) => n,
            Node::Not => 1,
        }
    }
}

/// A condition on the arguments of a call.
///
/// Made by [`parse_condition`](crate::parse_condition) or from [`Test`]s. Stored in prefix order in one slice, so that
/// the shipped groups are constants and two conditions are equal if their slices are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cond {
    nodes: Cow<'static, [Node]>,
}

impl From<Test> for Cond {
    fn from(test: Test) -> Cond {
        Cond { nodes: Cow::Owned(vec![Node::Test(test)]) }
    }
}

impl std::ops::Not for Cond {
    type Output = Cond;

    fn not(self) -> Cond {
        let nodes = std::iter::once(Node::Not).chain(self.nodes.iter().copied()).collect();
        Cond { nodes: Cow::Owned(nodes) }
    }
}

impl Cond {
    /// A condition from a checked constant table.
    pub(crate) const fn from_static(nodes: &'static [Node]) -> Cond {
        Cond { nodes: Cow::Borrowed(nodes) }
    }

    /// All of `parts`. At least one part; more than 65535 cannot be said in one condition.
    #[must_use]
    pub fn all(parts: Vec<Cond>) -> Option<Cond> {
        Cond::join(parts, Node::All)
    }

    /// One of `parts`. At least one part; more than 65535 cannot be said in one condition.
    #[must_use]
    pub fn any(parts: Vec<Cond>) -> Option<Cond> {
        Cond::join(parts, Node::Any)
    }

    fn join(mut parts: Vec<Cond>, operator: fn(u16) -> Node) -> Option<Cond> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let count = u16::try_from(parts.len()).ok()?;
        let operands = parts.iter().flat_map(|part| part.nodes.iter().copied());
        Some(Cond { nodes: Cow::Owned(std::iter::once(operator(count)).chain(operands).collect()) })
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The single tests of this condition, in the order they were written.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.nodes.iter().filter_map(|node| if let Node::Test(test) = node { Some(test) } else { None })
    }

    /// True if the condition holds for these arguments.
    #[must_use]
    pub fn holds(&self, args: &[u64; 6]) -> bool {
        holds(&self.nodes, args).0
    }

    /// The same condition with each mask cut to what the kernel looks at for call `nr`.
    ///
    /// # Errors
    /// A value that does not fit the argument, or a test that no argument can change.
    pub fn bind(&self, nr: u32) -> Result<Cond, BindError> {
        let bind = |node: &Node| match *node {
            Node::Test(test) => test.bind(nr).map(Node::Test),
            operator => Ok(operator),
        };
        let nodes: Vec<Node> = self.nodes.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Cond { nodes: Cow::Owned(nodes) })
    }
}

/// Verdict of the first tree in `nodes`, and what follows it. Depth is bounded by the parser.
fn holds<'n>(nodes: &'n [Node], args: &[u64; 6]) -> (bool, &'n [Node]) {
    let Some((&first, mut rest)) = nodes.split_first() else { return (false, nodes) };
    if let Node::Test(test) = first {
        return (test.holds(args), rest);
    }
    let mut all = true;
    let mut any = false;
    for _ in 0..first.operands() {
        let (verdict, after) = holds(rest, args);
        (all, any, rest) = (all && verdict, any || verdict, after);
    }
    let verdict = match first {
        Node::Any(_) => any,
        Node::Not => !any,
        _ => all,
    };
    (verdict, rest)
}

/// Splits `nodes` into its first tree and the rest.
pub(crate) fn split_tree(nodes: &[Node]) -> (&[Node], &[Node]) {
    let mut open = 1usize;
    let mut len = 0;
    for node in nodes {
        len += 1;
        open = open - 1 + usize::from(node.operands());
        if open == 0 {
            break;
        }
    }
    nodes.split_at(len)
}

impl Cond {
    /// The condition as source text of the group tables; for the generator.
    #[doc(hidden)]
    #[must_use]
    pub fn table_source(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(Node::source).collect();
        format!("&[{}]", nodes.join(", "))
    }
}

impl Node {
    fn source(&self) -> String {
        match self {
            Node::Test(Test { arg, mask, cmp, value }) => {
                format!("t({arg}, {mask:#x}, Cmp::{cmp:?}, {value:#x})")
            }
            operator => format!("Node::{operator:?}"),
        }
    }
}
