use std::io;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;
use crate::{canary, files};

pub(super) const SEND: Attack = Attack {
    id: "L9",
    name: "sysv-msg-send",
    what: "puts a message into a queue that host programs read",
    prepare: prepare_send,
    attack: |args| queue(raw::number(args, 0)?).and_then(|queue| send(queue, &[b'x'; 38])),
    control: Control::Landlock,
    ..Attack::ROW
};

pub(super) const RECEIVE: Attack = Attack {
    id: "C8",
    name: "sysv-msg-receive",
    what: "takes a message out of a queue of host programs",
    prepare: prepare_receive,
    attack: |args| raw::print(&receive(queue(raw::number(args, 0)?)?)?),
    ..Attack::ROW
};

const LENGTH: usize = 38;

/// A queue of the host, removed at the end.
struct Queue(usize);

impl Queue {
    fn has_message(&self) -> bool {
        receive(self.0).is_ok()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        drop(sys!(SYS_msgctl, self.0, libc::IPC_RMID, 0));
    }
}

fn create(stage: &mut Stage) -> io::Result<Queue> {
    let key = raw::random_key()?;
    stage.arg(key);
    Ok(Queue(sys!(SYS_msgget, key, libc::IPC_CREAT | libc::IPC_EXCL | 0o666)?))
}

fn queue(key: i32) -> io::Result<usize> {
    sys!(SYS_msgget, key, 0)
}

fn send(queue: usize, text: &[u8]) -> io::Result<()> {
    let message = [1u64.to_ne_bytes().as_slice(), text].concat();
    sys!(SYS_msgsnd, queue, message.as_slice(), text.len(), libc::IPC_NOWAIT).map(drop)
}

fn receive(queue: usize) -> io::Result<Vec<u8>> {
    let mut message = [0u8; 8 + LENGTH];
    sys!(SYS_msgrcv, queue, message.as_mut_ptr(), LENGTH, 0, libc::IPC_NOWAIT | libc::MSG_NOERROR)?;
    Ok(message[8..].to_vec())
}

fn prepare_send(stage: &mut Stage) -> io::Result<Judge> {
    let queue = create(stage)?;
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(queue.has_message(), "a host queue got a message"))))
}

fn prepare_receive(stage: &mut Stage) -> io::Result<Judge> {
    let queue = create(stage)?;
    let canary = canary::fresh()?;
    send(queue.0, canary.as_bytes())?;
    let judge = files::not_printed(canary);
    Ok(Box::new(move |outcome| {
        let judgement = judge(outcome);
        drop(queue);
        judgement
    }))
}
