//! The row format: what one attack says about itself.

use std::io;

use crate::needs::Need;
use crate::outcome::Judgement;
use crate::outcome::Outcome;
use crate::stage::Stage;

/// Looks at the host after a run and says whether the attack got what it wanted.
///
/// It must not believe anything the attack says about its success: it looks at canaries that came out, files that
/// changed, listeners that were reached, processes that died or stayed.
pub(crate) type Judge = Box<dyn FnOnce(&Outcome) -> io::Result<Judgement>>;

/// One attack.
pub(crate) struct Attack {
    /// Id of the threat, for example `C2`; several attacks may share one.
    pub(crate) id: &'static str,
    /// Unique name, also the argument of `escape attack`.
    pub(crate) name: &'static str,
    /// One sentence: what the attack gains when nothing stops it.
    pub(crate) what: &'static str,
    /// Runs outside before the box starts: puts bait in place and returns the judge.
    pub(crate) prepare: fn(&mut Stage) -> io::Result<Judge>,
    /// Runs inside the box with the arguments that `prepare` collected.
    pub(crate) attack: fn(&[String]) -> io::Result<()>,
    /// Where the attack must succeed for it to count as an attack at all.
    pub(crate) control: Control,
    /// What the host must offer for the control run; a missing item is a counted skip.
    pub(crate) needs: &'static [&'static Need],
    /// Boxes that this attack applies to; empty means all.
    pub(crate) boxes: &'static [&'static str],
    /// A fault of belljar's broker (`BELLJAR_TEST_BROKER`) with which the attack gets out of belljar; empty = none is needed.
    /// What the broker alone holds proves nothing until it has got out of a broken one.
    pub(crate) fault: &'static str,
    /// The box may also answer by not starting, with exit status 125: what it was asked for is itself refused.
    pub(crate) may_refuse: bool,
}

impl Attack {
    /// The usual row; a row names what differs and ends in `..Attack::ROW`.
    pub(crate) const ROW: Attack = Attack {
        id: "",
        name: "",
        what: "",
        prepare: nothing_prepared,
        attack: nothing_done,
        control: Control::Bare,
        needs: &[],
        boxes: &[],
        fault: "",
        may_refuse: false,
    };
}

fn nothing_prepared(_: &mut Stage) -> io::Result<Judge> {
    Err(io::Error::other("this row has no judge"))
}

fn nothing_done(_: &[String]) -> io::Result<()> {
    Ok(())
}

/// Where the control run happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// No box at all.
    Bare,
    /// In a bare `chroot` that keeps the current folder and every descriptor.
    Chroot,
    /// After `pivot_root` and detaching the old root, descriptors kept.
    Pivot,
    /// Nowhere but in belljar with the row's [`fault`](Attack::fault): the kernel itself does not do what the attack wants.
    Fault,
    /// Under Landlock alone, with the same folders granted as the real box gets.
    Landlock,
}

/// A group of attacks on one kind of wall.
pub(crate) struct Family {
    /// Words for the table heading.
    pub(crate) title: &'static str,
    /// Its attacks, in the order they run.
    pub(crate) rows: &'static [Attack],
}
