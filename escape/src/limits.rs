//! What no unprivileged mechanism of this kernel can hold: attacks that belljar documents instead of containing.
//!
//! Each row stands in SECURITY.md ("What belljar does not protect from"). The attack still runs: a row that gets out is
//! counted and named as a skip that `expected-skips.txt` must list, never as a pass.

/// What such a row is called in the list of skips.
pub(crate) const NEED: &str = "a kernel mechanism";

/// Attack, and why nothing holds it.
const LIMITS: &[(&str, &str)] = &[
    (
        "readable-flock",
        "an advisory lock needs no more than an open descriptor, and the filter cannot see its mode",
    ),
    ("lock-of-read-only", "the same through a passed descriptor"),
    (
        "pipe-quota",
        "the kernel counts pipe buffers per user over all user namespaces, without a limit to set lower",
    ),
    (
        "flight-quota",
        "the kernel counts descriptors on their way per user over all user namespaces; `--files` bounds how many",
    ),
];

/// Whether an attack is one of them.
pub(crate) fn is_known(name: &str) -> bool {
    LIMITS.iter().any(|(known, why)| *known == name && !why.is_empty())
}
