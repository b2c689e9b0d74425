//! Tables written by `cargo xtask generate tables` from `data/` and `groups/`.

#[rustfmt::skip]
pub(crate) mod constants;
#[rustfmt::skip]
pub(crate) mod families;
#[rustfmt::skip]
pub(crate) mod groups;
#[rustfmt::skip]
pub(crate) mod x86_64;
