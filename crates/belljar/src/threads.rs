//! Threads of this library in a program of somebody else.

/// Whose process this library runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A program with threads and signals of its own.
    Library,
    /// A process whose only job is this jar.
    Foreground,
}

/// Every signal but those by which C libraries reach all threads (32 to 34): `setuid` of the program waits for them.
const BLOCKED: u64 = !(0b111 << 31);

/// Runs what starts threads, so that they take no signals: handlers of the program belong on its own threads, with stacks of its
/// size, and a broken pipe of a jar is no end of the program. A job of its own has taken its signals over.
pub(crate) fn quietly<T>(mode: Mode, start: impl FnOnce() -> T) -> T {
    let _restored = (mode == Mode::Library).then(Mask::block);
    start()
}

/// The mask that the caller had; it comes back when this is dropped.
struct Mask(Option<u64>);

impl Mask {
    fn block() -> Self {
        Self(belljar_sys::call::block_these(BLOCKED).ok())
    }
}

impl Drop for Mask {
    fn drop(&mut self) {
        let restored = self.0.map(belljar_sys::call::set_signal_mask);
        tracing::trace!(?restored, "threads were started without signals");
    }
}
