//! The kernel ends whoever writes a file beyond the caller's limit of sizes, and for a box that may be its launcher.

use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;

use crate::attack::{Attack, Judge};
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "R7",
    name: "launcher-size-limit",
    what: "has the launcher ended by a signal, without a word, as it writes the box's output to a file that may not grow",
    prepare,
    attack: |_| {
        // Whoever reads it may have been ended meanwhile.
        drop(io::stderr().write_all(&[b'x'; 256 << 10]));
        Ok(())
    },
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let log = stage.host.join("log");
    let words = format!("ulimit -f 8; exec \"$@\" 2>>{}", log.display());
    stage.through = ["sh", "-c", &words, "sh"].map(str::to_owned).into();
    Ok(Box::new(|outcome| {
        let signal = outcome.status.and_then(|status| status.signal());
        Ok(Judgement::escaped_if(signal.is_some(), "the launcher was ended by a signal"))
    }))
}
