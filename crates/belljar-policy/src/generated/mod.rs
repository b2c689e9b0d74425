//! Generated tables, checked in.

mod presets;

pub(crate) use presets::READY;
