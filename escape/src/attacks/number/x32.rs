//! X2: sets bit 30 of the number, the mark of the x32 interface.

use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::{Word, child, wait};
use crate::attacks::{proof, raw};
use crate::needs::Need;

const MARK: i64 = 0x4000_0000;
const X32_EXECVE: i64 = MARK + 520;

const NEED: Need = Need { name: "the x32 interface", found };

const ROW: Attack = Attack {
    id: "X2",
    what: "makes calls whose number looks unknown and whose architecture looks native",
    prepare: proof::demanded,
    needs: &[&NEED],
    ..Attack::ROW
};

pub(super) const WRITE: Attack = Attack { name: "x32-write", attack: write, ..ROW };
pub(super) const EXECVE: Attack = Attack { name: "x32-execve", attack: execve, ..ROW };

fn found() -> bool {
    raw::call(MARK + libc::SYS_getpid, &[]).is_ok()
}

fn write(args: &[String]) -> io::Result<()> {
    let proof = proof::of(proof::arg(args, 0)?);
    raw::call(MARK + libc::SYS_write, &[1, proof.as_ptr().word(), proof.len()]).map(|_| ())
}

fn execve(args: &[String]) -> io::Result<()> {
    let proof = std::ffi::CString::new(proof::of(proof::arg(args, 0)?))?;
    let address = |text: &std::ffi::CStr| (text.as_ptr().expose_provenance() as u32).to_ne_bytes();
    let pid = child(|| {
        let words = [address(c"echo"), address(&proof), [0; 4]].concat();
        raw::call(X32_EXECVE, &[c"/bin/echo".word(), words.as_ptr().word(), 0]).map(|_| ())
    })?;
    wait(pid).map(|_| ())
}
