//! The jar's own network as ops.

use belljar_sys::Op;
use belljar_sys::child::{Refused, Serve};

use super::{Builder, rules};
use crate::error::StartError;
use crate::plan::{NAMES, PROXIES, Plan, Step};

impl Plan {
    /// Sockets of the jar's network that the supervisor serves, in the order in which init sends them.
    pub(crate) fn served(&self) -> Option<Vec<Serve>> {
        let (ports, proxies) = self.init.iter().find_map(|step| match step {
            Step::Serve { ports, proxies } => Some((ports, *proxies)),
            _ => None,
        })?;
        let names = [Serve::LocalDatagrams(NAMES), Serve::Local(NAMES)];
        let proxies = PROXIES.iter().filter(|_| proxies).map(|port| Serve::Local(*port));
        let ports = ports.iter().map(|port| Serve::Everywhere(*port));
        let refused = Refused::ALL.map(Serve::Refused);
        Some(names.into_iter().chain(proxies).chain(ports).chain(refused).chain([Serve::Owners]).collect())
    }
}

impl<'a> Builder<'a> {
    pub(super) fn network(&self, step: &Step, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
        match step {
            Step::OwnAddresses => ops.push(Op::OwnEveryAddress),
            Step::Serve { .. } => ops.push(Op::Serve(&self.storage.served)),
            _ => {
                if self.plan.split_namespaces().is_some() {
                    // The layout is finished, and the process aside may not be.
                    rules::make(self, ops)?;
                    ops.push(Op::JoinNetwork);
                }
                ops.push(Op::Loopback);
            }
        }
        Ok(())
    }
}
