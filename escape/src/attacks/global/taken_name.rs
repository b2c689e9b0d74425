//! Abstract names belong to a network, and one end of a pair of sockets can take one.

use std::cell::Cell;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::rc::Rc;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::nap;
use crate::attacks::raw::{self, sys};
use crate::attacks::reached;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C8",
    name: "abstract-name-taken",
    what: "takes the abstract name of a host service for one end of a pair, so that the service cannot start",
    prepare,
    attack,
    ..Attack::ROW
};

/// The box gets no network of its own, where a name would be nobody's but the box's.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--net", "off"]);
    let name = stage.word("service");
    stage.arg(&name);
    let address = SocketAddr::from_abstract_name(&name)?;
    let taken = Rc::new(Cell::new(false));
    let judge = reached::unless(Rc::clone(&taken), "a host service cannot have its name");
    stage.watches.push(Box::new(move |_| {
        let refused = UnixListener::bind_addr(&address).is_err();
        taken.set(taken.get() || refused);
    }));
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let (address, length) = raw::abstract_name(raw::text(args, 0)?);
    let mut pair = [0i32; 2];
    sys!(SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr())?;
    // The service may be about to try.
    for _ in 0..40 {
        if sys!(SYS_bind, pair[0], &raw const address, length).is_ok() {
            nap(300);
            break;
        }
        nap(5);
    }
    Ok(())
}
