//! S15: runs a setuid program of the host.

use std::io;

use crate::attack::{Attack, Judge};
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S15",
    name: "setuid-program",
    what: "gains rights from a setuid program: passwd reads the shadow file for it",
    prepare,
    attack,
    needs: &[&needs::ORDINARY_USER],
    ..Attack::ROW
};

fn prepare(_: &mut Stage) -> io::Result<Judge> {
    // `passwd -S` answers "NAME STATE DATE ..." only when it could read the shadow file.
    let me = std::process::Command::new("id").arg("-un").output()?.stdout;
    let name = String::from_utf8_lossy(&me).trim().to_owned();
    Ok(Box::new(move |outcome| {
        let lines = String::from_utf8_lossy(&outcome.stdout).into_owned();
        let told =
            lines.lines().any(|line| line.starts_with(&format!("{name} ")) && line.split(' ').count() > 5);
        Ok(crate::outcome::Judgement::escaped_if(told, "a setuid program worked with its owner's rights"))
    }))
}

fn attack(_: &[String]) -> io::Result<()> {
    Err(std::os::unix::process::CommandExt::exec(std::process::Command::new("/usr/bin/passwd").arg("-S")))
}
