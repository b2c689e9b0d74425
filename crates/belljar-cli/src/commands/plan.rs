//! `belljar plan`: how this host would enforce the policy.

use belljar::error::StartError;
use belljar::{Command, Report};

use super::{end, show, show_json};
use crate::fault::Fault;
use crate::words::Words;
use crate::{petition, request};

pub(crate) fn plan(words: &Words) -> u8 {
    end(made(words))
}

fn made(words: &Words) -> Result<u8, Fault> {
    let mut rest = words.rest();
    let mut command = Command::new(rest.next().unwrap_or_default());
    let policy = request::policy(words)?;
    let asks = !policy.actions.is_empty();
    command.args(rest).policy(policy);
    petition::lend(&mut command, asks);
    let plan = command.plan().map_err(|error| fault(&error))?;
    if words.has("json") {
        return show_json(serde_json::to_string_pretty(&plan), 0);
    }
    Ok(show(&plan.to_string(), 0))
}

/// What `run` would say.
fn fault(error: &StartError) -> Fault {
    let Report { verdict, reason, hint, .. } = Report::failed(error, &belljar::probe::probe());
    Fault::new(verdict, reason, hint)
}
