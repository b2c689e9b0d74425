//! Proof that a call worked: the attack gets a word and can hand it back reversed only through the kernel object it
//! should not have. A word that is merely echoed proves nothing.

use std::io;

use crate::attack::Judge;
use crate::canary;
use crate::files;
use crate::stage::Stage;

/// The reversed word.
pub(crate) fn of(word: &str) -> String {
    word.chars().rev().collect()
}

/// Gives the attack a fresh word as its next argument; the judge looks for its proof.
pub(crate) fn demanded(stage: &mut Stage) -> io::Result<Judge> {
    let word = canary::fresh()?;
    stage.arg(&word);
    Ok(files::not_printed(of(&word)))
}

/// An argument of the attack.
pub(crate) fn arg(args: &[String], index: usize) -> io::Result<&str> {
    args.get(index)
        .map(String::as_str)
        .ok_or_else(|| io::Error::other(format!("argument {index} is missing")))
}

/// A number among the arguments of the attack.
pub(crate) fn number<N: std::str::FromStr>(args: &[String], index: usize) -> io::Result<N> {
    arg(args, index)?.parse().map_err(|_| io::Error::other(format!("argument {index} is no number")))
}

/// A path among the arguments of the attack.
pub(crate) fn path(args: &[String], index: usize) -> io::Result<std::ffi::CString> {
    std::ffi::CString::new(arg(args, index)?).map_err(io::Error::other)
}

/// Prints the proof of the word among the arguments: the line of an attack that is reached only after its call worked.
pub(crate) fn show(args: &[String], index: usize) -> io::Result<()> {
    crate::attacks::kernel::say(&of(arg(args, index)?))
}
