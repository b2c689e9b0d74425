//! What went wrong, with the object, the kernel's answer and what helps.

pub mod hints;
