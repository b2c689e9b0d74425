//! Random words that mean nothing to anyone but the judge.

use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

/// Sixteen random bytes in hexadecimal, prefixed so that a person recognises them in output.
pub(crate) fn fresh() -> io::Result<String> {
    let mut bytes = [0u8; 16];
    let got = getrandom(&mut bytes[..], GetRandomFlags::empty())?;
    if got != bytes.len() {
        return Err(io::Error::other("short random read"));
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("canary{hex}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_canaries_differ() {
        assert_ne!(super::fresh().unwrap(), super::fresh().unwrap());
    }
}
