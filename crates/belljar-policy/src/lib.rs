//! What a jar may do.
//!
//! Text (TOML, JSON, flags, presets) becomes a [`Policy`]: plain data in which every rule remembers where it came from.
//! Nothing here touches the host; what this machine can enforce is the planner's question.
//!
//! ```
//! use belljar_policy::{Policy, fs_decision};
//!
//! let policy = Policy::preset("@strict")?.read("/srv/pictures")?.set("limits.memory", "1G")?;
//! assert!(fs_decision(&policy, "/srv/pictures/1.jpg".as_ref()).allowed);
//! assert!(!fs_decision(&policy, "/home/me/.ssh/id".as_ref()).allowed);
//! # Ok::<(), belljar_policy::PolicyError>(())
//! ```
//!
//! ```text
//! preset ─┐
//! file   ─┼─► tree with places ─► layer ─┐
//! flags  ─┴─────────────────────► layer ─┴─► merge ─► check ─► Policy
//!                 every name looked up in KEYS
//! ```
#![forbid(unsafe_code)]

mod amend;
mod check;
mod decide;
mod document;
mod error;
mod explain;
mod flags;
mod generated;
mod keys;
mod layer;
mod load;
mod merge;
mod model;
mod narrow;
mod presets;
mod read;
mod schema;
mod setters;
mod show;
mod text;
mod value;
mod words;

pub use amend::{Addition, amend};
pub use check::{DAEMON_SOCKETS, HOME_SOCKETS, USER_FOLDERS, USER_SOCKETS};
pub use decide::{
    Asked, Decision, any_port, asked, env_decision, fs_decision, fs_flag, may_write, net_decision,
    net_target, special_address, special_name, syscall_decision, target_decision,
};
pub use error::{Fault, Place, PolicyError};
pub use explain::{explain, explain_nearest};
pub use flags::FlagValue;
pub use keys::{Category, Feature, KEYS, Key, Kind, OPTIONS, flag, key};
pub use load::{Input, Reader, Request, load};
pub use model::*;
pub use narrow::{Narrowed, narrow};
pub use presets::{DEFAULT_PRESET, PRESETS, preset_text, presets_source};
pub use schema::schema;
pub use show::to_toml;
pub use text::{printable, steers};
pub use value::path::fold;
