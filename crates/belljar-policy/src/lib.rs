//! What a jar may do.
//!
//! Text (TOML, flags, presets) becomes a [`Policy`]: plain data in which every rule remembers where it came from. Nothing
//! here touches the host; what this machine can enforce is the planner's question.
#![forbid(unsafe_code)]

mod model;

pub use model::*;
