//! What the kernel counts per user over all namespaces: the jar's own namespace gets a share of it.

use core::ffi::CStr;

use linux_raw_sys::general as g;

use crate::call::{self, Errno, Result};

/// The kernel keeps an entry of the host's `/proc` for every user namespace that was ever told something there, and each
/// look-up walks them all: a fresh `/proc` is quicker by far.
pub(super) fn limit(inside: bool) -> Result<()> {
    let [namespaces, instances, watches, allowed] = if inside { INSIDE } else { OUTSIDE };
    call::write_file(namespaces, b"0")?;
    // A host usually allows 128 to a user: the jar must leave most of them to the others.
    match call::write_file(instances, b"32").and_then(|()| limit_watches(watches, allowed)) {
        // A kernel without inotify.
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

const INSIDE: [&CStr; 4] = [
    c"proc/sys/user/max_user_namespaces",
    c"proc/sys/user/max_inotify_instances",
    c"proc/sys/user/max_inotify_watches",
    c"proc/sys/fs/inotify/max_user_watches",
];
const OUTSIDE: [&CStr; 4] = [
    c"/proc/sys/user/max_user_namespaces",
    c"/proc/sys/user/max_inotify_instances",
    c"/proc/sys/user/max_inotify_watches",
    c"/proc/sys/fs/inotify/max_user_watches",
];

/// Watches are counted per user of the host as well: the jar leaves half of them to the others.
fn limit_watches(limit: &CStr, allowed: &CStr) -> Result<()> {
    let mut text = [0_u8; 24];
    let file = call::open(allowed, g::O_RDONLY)?;
    // The program's start closes it, and init with all others.
    call::read(file, &mut text)?;
    let digits = text.split_mut(|byte| !byte.is_ascii_digit()).next().filter(|digits| !digits.is_empty());
    call::write_file(limit, halved(digits.ok_or(Errno::INVAL)?))
}

/// Half of a number in decimal. The kernel would read leading zeros as octal.
fn halved(digits: &mut [u8]) -> &[u8] {
    let mut rest = 0_u8;
    for digit in digits.iter_mut() {
        let value = rest.wrapping_mul(10).wrapping_add(digit.wrapping_sub(b'0'));
        *digit = b'0'.wrapping_add(value / 2);
        rest = value % 2;
    }
    let leading = usize::from(digits.starts_with(b"0") && digits.len() > 1);
    digits.get(leading..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::halved;

    #[test]
    fn half_of_a_number_has_no_leading_zero() {
        for (whole, half) in
            [("8192", "4096"), ("192536", "96268"), ("1048577", "524288"), ("1", "0"), ("", "")]
        {
            assert_eq!(halved(&mut whole.as_bytes().to_vec()), half.as_bytes(), "{whole}");
        }
    }
}
