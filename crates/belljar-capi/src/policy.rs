//! Policies.

use std::ffi::c_char;
use std::path::Path;

use belljar::policy::{Input, Policy as Rules, Request, load};

use crate::boundary::text;
use crate::fault::{Fault, guard};

/// What a jar may do. It never changes; any number of threads may use one at the same time.
#[derive(Debug)]
pub struct Policy(pub(crate) Rules);

type Made = Option<Box<Policy>>;

/// Where relative paths count from, and what `~` stands for.
fn load_here(input: Input) -> Result<Made, Fault> {
    let request = Request {
        inputs: vec![input],
        cwd: std::env::current_dir().unwrap_or_else(|_| "/".into()),
        home: std::env::var_os("HOME").map(Into::into),
        ..Request::default()
    };
    let read = |path: &Path| std::fs::read_to_string(path);
    Ok(Some(Box::new(Policy(load(&request, &read)?))))
}

/// A preset by its name, such as "@strict".
///
/// # Safety
/// `name` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_policy_preset(name: *const c_char) -> Option<Box<Policy>> {
    guard(None, || {
        // SAFETY: as this function's.
        let name = unsafe { text(name, "name") }?;
        Ok(Some(Box::new(Policy(Rules::preset(name)?))))
    })
}

/// A policy from text, TOML or JSON. Relative paths count from the current folder; `extends` and the like are read from files.
///
/// # Safety
/// `source` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_policy_from_text(source: *const c_char) -> Option<Box<Policy>> {
    guard(None, || {
        // SAFETY: as this function's.
        let source = unsafe { text(source, "source") }?.to_owned();
        let name = std::env::current_dir().unwrap_or_default().join("(text)");
        load_here(Input::Text { name, text: source })
    })
}

/// A policy from a file.
///
/// # Safety
/// `path` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_policy_from_file(path: *const c_char) -> Option<Box<Policy>> {
    guard(None, || {
        // SAFETY: as this function's.
        let path = unsafe { text(path, "path") }?;
        load_here(Input::Named(path.into()))
    })
}

/// Frees a policy; NULL is nothing. Commands made with it keep what it said.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_policy_free(policy: Option<Box<Policy>>) {
    guard((), || {
        drop(policy);
        Ok(())
    });
}
