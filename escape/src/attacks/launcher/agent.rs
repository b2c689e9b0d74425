//! GnuPG's agent has a socket of its own and one for clients that are not trusted, which export no keys.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::judges;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "E7",
    name: "agent-unrestricted",
    what: "reaches the agent's own socket, where keys are exported, in place of the one for others",
    prepare,
    attack: |args| {
        for index in 0..2 {
            let told = UnixStream::connect(proof::arg(args, index)?);
            drop(told.and_then(|mut agent| agent.write_all(b"KEYWRAP_KEY --export\n")));
        }
        Ok(())
    },
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let home = stage.host.join("home");
    let folder = home.join(".gnupg");
    std::fs::create_dir_all(&folder)?;
    let [own, restricted] = ["S.gpg-agent", "S.gpg-agent.extra"].map(|name| folder.join(name));
    let (own_listener, others) = (UnixListener::bind(&own)?, UnixListener::bind(&restricted)?);
    for path in [&own, &restricted] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777))?;
        stage.path_arg(path);
    }
    std::thread::spawn(move || others.incoming().for_each(drop));
    stage.env.push(("HOME".to_owned(), home.to_string_lossy().into_owned()));
    stage.belljar_flags(&["--socket", "gpg-agent"]);
    judges::unix_unreached(own_listener)
}
