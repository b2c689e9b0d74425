//! Descriptors that the caller passes on, opened anew so that they carry no more than their mode says.

use core::ffi::CStr;

use linux_raw_sys::general as g;

use super::action::{set_attr, walk};
use crate::call::{self, CWD, Errno, Fd, Result};

/// Longest text of a descriptor's name below `/proc/self/fd/`, with the final zero.
const NAME: usize = 32;

/// Replaces `fd`: same file, own detached mount with `attrs`, opened with `flags`.
pub(super) fn open_anew(fd: Fd, path: &CStr, identity: (u64, u64), attrs: u64, flags: u32) -> Result<()> {
    let source = walk(CWD, path, g::RESOLVE_NO_SYMLINKS)?;
    if call::identity(source)? != identity {
        return Err(Errno::NOENT);
    }
    let tree = call::clone_tree(source)?;
    set_attr(tree, c"", true, attrs)?;
    let mut name = [0_u8; NAME];
    let opened = call::open(descriptor_name(tree, &mut name)?, flags)?;
    call::dup_to(opened, fd)?;
    for done in [source, tree, opened] {
        call::close(done);
    }
    Ok(())
}

/// `/proc/self/fd/N`.
fn descriptor_name(fd: Fd, into: &mut [u8; NAME]) -> Result<&CStr> {
    let mut digits = [b'0'; 10];
    let mut left = fd.unsigned_abs();
    for digit in digits.iter_mut().rev() {
        *digit = b'0'.wrapping_add(u8::try_from(left % 10).unwrap_or(0));
        left /= 10;
    }
    let number = digits.iter().copied().skip_while(|digit| *digit == b'0');
    let text = b"/proc/self/fd/".iter().copied().chain(number);
    for (to, from) in into.iter_mut().zip(text) {
        *to = from;
    }
    CStr::from_bytes_until_nul(into).map_err(|_| Errno::INVAL)
}
