//! N7: names at the edges of what is mapped and of what is allowed.

use std::io;
use std::os::unix::fs::symlink;

use super::ROW as BROKERED;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::Page;
use crate::attacks::proof;
use crate::attacks::raw::{self, sys};
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "N7",
    name: "path-edges",
    what: "opens a hidden file by the longest, deepest and most crooked names, at the end of what is mapped",
    prepare,
    attack,
    ..BROKERED
};

const PAGE: usize = 4096;
/// As many as the kernel follows.
const LINKS: usize = 40;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--trace"]);
    let (secret, judge) = stage.secret("secret")?;
    stage.path_arg(&secret);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let secret = proof::arg(args, 0)?;
    chain(secret)?;
    let room = PAGE - 1 - secret.len();
    let names = [
        secret.to_owned(),
        format!("{}{secret}", "/".repeat(room)),
        format!("{}{secret}", "/.".repeat(room / 2)),
        format!("{}{secret}", "/..".repeat(room / 3)),
        "../host/secret".to_owned(),
        format!("{}../host/secret", "./".repeat(1000)),
        format!("/proc/self/root{secret}"),
        format!("/proc/thread-self/cwd/../{}", "host/secret"),
        format!("link{}", LINKS - 1),
        // One byte more than is allowed, or no end at all.
        format!("{}{secret}", "/".repeat(room + 1)),
        "/".repeat(PAGE),
    ];
    let end = Page::new(2 * PAGE, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE)?;
    sys!(SYS_munmap, end.address() + PAGE as u64, PAGE)?;
    let mut last = Err(io::Error::other("no name"));
    for name in names {
        last = opened(end, &name).or(last);
    }
    last
}

/// Each link leads to the one before it, the first to the file.
fn chain(secret: &str) -> io::Result<()> {
    symlink(secret, "link0")?;
    (1..LINKS).try_for_each(|number| symlink(format!("link{}", number - 1), format!("link{number}")))
}

/// The zero of the name is the last byte of the page; a name without room for it runs out of memory.
fn opened(page: Page, name: &str) -> io::Result<()> {
    let length = (name.len() + 1).min(PAGE);
    let at = PAGE - length;
    page.put(at, name.as_bytes().get(..length).unwrap_or(name.as_bytes()));
    if name.len() < length {
        page.put(PAGE - 1, &[0]);
    }
    let address = page.address() + at as u64;
    raw::show(raw::fd(sys!(SYS_open, address, libc::O_RDONLY))?)
}
