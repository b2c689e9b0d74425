//! Belljar for programs in C: what `belljar.h` declares, as thin a layer over the library as it can be.
//!
//! Handles are boxes that C holds as pointers; a NULL is an error with a name, never a crash. Texts are NUL-terminated UTF-8.
//! Functions that fail return NULL or -1 and leave a text and a remedy for the calling thread ([`fault`]). A panic is such a failure
//! too: none crosses into C.
//!
//! What a C caller promises becomes what Rust knows in `boundary` alone; elsewhere unsafe code is only the mark of a C name, and the call
//! that passes such a promise on.

mod boundary;
pub mod child;
pub mod command;
pub mod confine;
pub mod fault;
pub mod policy;
pub mod report;
