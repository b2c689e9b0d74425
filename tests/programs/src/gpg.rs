//! GnuPG's agent of the host's: it signs for a jar, and its keys stay outside.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::run::{Outcome, Rig};

/// What the row's program says when it has signed, when it was given a secret key, when it has read one.
const SAID: [&str; 3] = ["signed\n", "exported\n", "read\n"];

/// Outside the row's program signs, exports the key and reads its file; inside it signs.
pub(crate) fn by_gpg_agent(rig: &Rig<'_>) -> Result<()> {
    rig.fresh()?;
    let plain = rig.row.plain(rig);
    let home = plain.env.iter().find(|(name, _)| name == "GNUPGHOME").context("no folder for an agent")?;
    let told = with_agent(rig, Path::new(&home.1));
    gpg("gpgconf", Path::new(&home.1), &["--kill", "gpg-agent"])?;
    told
}

fn with_agent(rig: &Rig<'_>, home: &Path) -> Result<()> {
    let [signed, exported, read] = SAID;
    let plain = rig.row.plain(rig);
    let make = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key"];
    gpg("gpg", home, &[&make[..], &["Demo <demo@example.org>", "ed25519", "sign", "never"]].concat())?;
    let public = rig.work.join("public");
    let public = public.to_str().context("a plain path")?;
    let export = ["--batch", "--yes", "--quiet", "--output", public, "--export"];
    gpg("gpg", home, &export)?;
    let outside = plain.run()?;
    ensure!(said(&outside) == [signed, exported, read].concat(), "outside: {}", outside.text());
    let inside = rig.boxed_with(rig.row.flags, &plain).run()?;
    ensure!(said(&inside) == signed, "inside: {}", inside.text());
    gpg(
        "gpg",
        home,
        &["--batch", "--quiet", "--verify", &format!("{}.gpg", rig.work.join("text").display())],
    )?;
    let without = rig.boxed_with(&["-w", "{work}"], &plain).run()?;
    ensure!(said(&without).is_empty(), "the agent was reached without a rule: {}", without.text());
    Ok(())
}

fn said(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}

fn gpg(program: &str, home: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    command.args(args).env("GNUPGHOME", home).stdin(Stdio::null());
    let output = command.output().with_context(|| format!("{program} does not run"))?;
    ensure!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
