//! Whom the supervisor talks to while the jar runs: the user who answers questions, the jar that asks for actions.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::action::{Clerk, Office};
use crate::ask::{Ask, Attendant, Desk};
use crate::command::Command;
use crate::error::StartError;
use crate::event::Events;
use crate::spawn::Started;
use crate::supervise::Watch;

/// What was made ready before the start.
#[derive(Debug, Default)]
pub(super) struct Talks {
    attendant: Option<Attendant>,
    /// Where the broker's threads leave their questions.
    pub(super) desk: Option<Arc<Desk>>,
    office: Option<Office>,
}

impl Talks {
    /// Reaches the user and opens what actions need; nothing where neither is wanted.
    pub(super) fn open(command: &Command) -> Result<Self, StartError> {
        let begin = |ask: &Ask| ask.begin(&command.policy, command.home.as_deref());
        let (desk, attendant) = command.ask.as_ref().map(begin).transpose()?.unzip();
        Ok(Self { attendant, desk, office: Office::open(&command.policy, &command.env.caller)? })
    }

    /// Talks from now on.
    pub(super) fn begin(self, started: &mut Started, watch: &mut Watch, events: &Arc<Events>) {
        watch.attendant = self.attendant;
        let channel = <[OwnedFd; 2]>::try_from(std::mem::take(&mut started.channel)).ok();
        watch.clerk = self.office.zip(channel).map(|(office, [requests, replies])| {
            Clerk::new(office, requests, replies, Arc::clone(events) as _)
        });
    }
}
