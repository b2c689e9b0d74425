//! A policy as TOML that reads back to the same policy.

use std::fmt::Display;

use crate::document::SECTIONS;
use crate::model::{
    ActionRule, Demand, FdMode, FsSubject, NetMode, NetRule, Origin, PassFd, Policy, Requirement,
    ServiceRule, Setting, Subject,
};
use crate::text::{shown, steers};
use crate::value::Written;
use crate::value::host::host_text;
use crate::value::path::written;
use crate::words::{ACCESS, FD_MODES, SUBJECTS, word};

/// The whole policy as one document without `extends`. With origins, each line ends in a comment that names its writer, and
/// rules that were replaced follow as comments.
///
/// ```
/// use belljar_policy::{Request, load, to_toml};
/// let policy = load(&Request::text("a.toml", "belljar = 1\n[limits]\npids = 9"), &|_| {
///     Err(std::io::ErrorKind::NotFound.into())
/// })?;
/// assert!(to_toml(&policy, true).contains("pids = 9  # a.toml:3"));
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn to_toml(policy: &Policy, with_origin: bool) -> String {
    let mut page = Page { out: String::from("belljar = 1\n"), with_origin };
    page.process(policy);
    for section in SECTIONS {
        page.out.push_str(&format!("\n[{section}]\n"));
        match *section {
            "fs" => page.files(policy),
            "net" => page.net(policy),
            "env" => page.env(policy),
            "syscalls" => page.syscalls(policy),
            _ => page.limits(policy),
        }
    }
    page.actions(&policy.actions);
    page.require(&policy.require);
    page.dropped(policy);
    page.out
}

struct Page {
    out: String,
    with_origin: bool,
}

impl Page {
    fn line(&mut self, text: &str, origin: &Origin) {
        self.out.push_str(text);
        if self.with_origin {
            self.out.push_str(&format!("  # {origin}"));
        }
        self.out.push('\n');
    }

    /// `name = value`, the value as it stands.
    fn bare(&mut self, name: &str, value: impl Display, origin: &Origin) {
        self.line(&format!("{name} = {value}"), origin);
    }

    fn text<T: Written>(&mut self, name: &str, setting: Option<&Setting<T>>) {
        if let Some(setting) = setting {
            self.bare(name, quoted(&setting.value.written()), &setting.origin);
        }
    }

    /// A number; the same as text would be refused.
    fn count(&mut self, name: &str, setting: Option<&Setting<u32>>) {
        if let Some(setting) = setting {
            self.bare(name, setting.value, &setting.origin);
        }
    }

    fn list<'s>(&mut self, name: &str, items: impl Iterator<Item = (String, &'s Origin)>) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return self.out.push_str(&format!("{name} = []\n"));
        }
        self.out.push_str(&format!("{name} = [\n"));
        for (item, origin) in items {
            self.line(&format!("  {item},"), origin);
        }
        self.out.push_str("]\n");
    }

    fn words(&mut self, name: &str, items: &[Setting<String>]) {
        self.list(name, items.iter().map(|item| (quoted(&item.value), &item.origin)));
    }

    fn process(&mut self, policy: &Policy) {
        let weaker = |item: &Setting<Subject>| quoted(word(SUBJECTS, &item.value));
        self.list("allow-weaker", policy.weaker.iter().map(|item| (weaker(item), &item.origin)));
        self.list("pass-fds", policy.pass_fds.iter().map(|item| (descriptor(item), &item.origin)));
        if !policy.services.is_empty() {
            let service = |rule: &ServiceRule| quoted(&rule.written());
            self.list("services", policy.services.iter().map(|rule| (service(rule), &rule.origin)));
        }
        self.bare("debug", policy.debug.value, &policy.debug.origin);
        self.bare("trace", policy.trace.value, &policy.trace.origin);
        self.text("promise", policy.promises.as_ref());
        if let Some(mask) = &policy.umask {
            self.bare("umask", format!("\"{:03o}\"", mask.value), &mask.origin);
        }
        self.text("hostname", policy.hostname.as_ref());
    }

    fn files(&mut self, policy: &Policy) {
        let fs = &policy.fs;
        for rule in &fs.rules {
            let access = word(ACCESS, &rule.access);
            self.bare(&quoted(&rule.written()), quoted(access), &rule.origin);
        }
        let dangerous =
            fs.rules.iter().filter(|rule| rule.dangerous).filter_map(|rule| match &rule.subject {
                FsSubject::Path(path) => Some((quoted(&written(path)), &rule.origin)),
                FsSubject::Program => None,
            });
        self.list("dangerously-grant", dangerous);
        self.text("tmp", fs.tmp.as_ref());
        self.text("throw-away", fs.throw_away.as_ref());
        self.text("proc", Some(&fs.proc));
        self.text("dev", Some(&fs.dev));
        self.text("cwd", fs.cwd.as_ref());
        self.text("root", fs.root.as_ref());
    }

    fn net(&mut self, policy: &Policy) {
        let host = |rule: &NetRule| quoted(&host_text(&rule.target, rule.port));
        self.text("mode", Some(&policy.net.mode));
        if policy.net.mode.value == NetMode::List {
            self.list("allow", policy.net.allow.iter().map(|rule| (host(rule), &rule.origin)));
        }
        self.list("deny", policy.net.deny.iter().map(|rule| (host(rule), &rule.origin)));
        self.more_net(policy);
    }

    /// What most policies do not have.
    fn more_net(&mut self, policy: &Policy) {
        let net = &policy.net;
        if !net.reach.is_empty() {
            let local = |port: &u16| quoted(&format!("localhost:{port}"));
            self.list("reach", net.reach.iter().map(|port| (local(&port.value), &port.origin)));
        }
        if !net.publish.is_empty() {
            let ports = net.publish.iter().map(|ports| (quoted(&ports.value.written()), &ports.origin));
            self.list("publish", ports);
        }
        if !net.sockets.is_empty() {
            let sockets = net.sockets.iter();
            self.list("sockets", sockets.map(|one| (quoted(&one.service.written()), &one.origin)));
        }
        if let Some(proxy) = &net.proxy {
            self.bare("proxy", proxy.value, &proxy.origin);
        }
        if !net.hosts.is_empty() {
            self.out.push_str("[net.hosts]\n");
            for (name, addr) in &net.hosts {
                self.text(&quoted(name), Some(addr));
            }
        }
    }

    fn env(&mut self, policy: &Policy) {
        self.words("pass", &policy.env.pass);
        self.out.push_str("[env.set]\n");
        for (name, value) in &policy.env.set {
            self.text(&quoted(name), Some(value));
        }
    }

    fn syscalls(&mut self, policy: &Policy) {
        self.words("allow", &policy.syscalls.allow);
        self.words("deny", &policy.syscalls.deny);
        self.text("otherwise", policy.syscalls.otherwise.as_ref());
        self.out.push_str("[syscalls.when]\n");
        for (name, value) in &policy.syscalls.when {
            self.text(&quoted(name), Some(value));
        }
    }

    fn limits(&mut self, policy: &Policy) {
        let limits = &policy.limits;
        self.text("memory", limits.memory.as_ref());
        self.count("pids", limits.pids.as_ref());
        self.text("wall", limits.wall.as_ref());
        self.text("cpu", limits.cpu.as_ref());
        self.count("files", limits.files.as_ref());
        self.text("fsize", limits.fsize.as_ref());
        self.text("data", limits.data.as_ref());
        self.text("output", limits.output.as_ref());
    }

    /// What most policies do not have.
    fn actions(&mut self, actions: &[ActionRule]) {
        if !actions.is_empty() {
            self.out.push_str("\n[actions]\n");
        }
        for rule in actions {
            let with = quoted(&written(&rule.with));
            self.bare(rule.action.name(), with, &rule.origin);
        }
    }

    fn require(&mut self, demands: &[Requirement]) {
        self.out.push_str("\n[require]\n");
        for (name, subject) in SUBJECTS {
            let own = demands.iter().filter(|demand| demand.subject == *subject);
            let mut items = own.map(|demand| (demanded(&demand.demand), &demand.origin)).peekable();
            if items.peek().is_some() {
                self.list(name, items);
            }
        }
    }

    fn dropped(&mut self, policy: &Policy) {
        for dropped in policy.dropped.iter().filter(|_| self.with_origin) {
            let (rule, because) = (shown(&dropped.rule), shown(&dropped.because));
            self.out.push_str(&format!("# not in force: {rule}  ({}): {because}\n", dropped.origin));
        }
    }
}

fn demanded(demand: &Demand) -> String {
    match demand {
        Demand::Layers(count) => count.to_string(),
        Demand::Layer(name) => quoted(name),
    }
}

fn descriptor(item: &PassFd) -> String {
    match item.mode {
        FdMode::Any => item.fd.to_string(),
        mode => format!("\"{}:{}\"", item.fd, word(FD_MODES, &mode)),
    }
}

/// A TOML basic string; what could drive a terminal is escaped too. Also a JSON string, outside the control characters beyond the
/// basic plane, of which there are none.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if steers(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
