//! The schema of the report says what reports contain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use belljar::event::{Access, Event};
use belljar::report::{Enforcement, Layer, LimitHeld, LimitKind, Report, Verdict, Void};
use belljar::sink::{Stream, Target};
use seen::Folder;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../docs/report.schema.json");
const EVENTS: &str = include_str!("../../../docs/events.schema.json");

/// Each layer.
const LAYERS: [Layer; 13] = [
    Layer::Namespaces,
    Layer::MountFlags,
    Layer::Landlock,
    Layer::Seccomp,
    Layer::Privileges,
    Layer::Cgroup,
    Layer::Rlimit,
    Layer::Broker,
    Layer::Supervisor,
    Layer::Pty,
    Layer::Descriptors,
    Layer::Environment,
    Layer::Tmpfs,
];

/// A verdict of each kind; the match makes a new kind a compile error here.
fn verdicts() -> Vec<Verdict> {
    vec![
        Verdict::Exited { code: 1 },
        Verdict::Signaled { signal: 9 },
        Verdict::TimedOut,
        Verdict::LimitHit { limit: LimitKind::Memory },
        Verdict::Violation,
        Verdict::SetupFailed,
        Verdict::NotRunnable,
        Verdict::NotFound,
        Verdict::Internal,
    ]
}

/// An event of each verdict and each kind of access.
fn events() -> Vec<Event> {
    use belljar::event::Verdict::{Asked, Denied, Failed, Granted, Weaker};
    let event = |verdict, access| Event::new(verdict, "openat", "/etc/shadow".as_ref()).access(access);
    let accesses = [
        Access::Read,
        Access::Write,
        Access::Execute,
        Access::Look,
        Access::Attributes,
        Access::Connect,
        Access::Listen,
        Access::Resolve,
        Access::Call,
        Access::Action,
    ];
    let of_each = accesses.map(|access| event(Denied, access).flag("--read /etc"));
    let of_others = [Granted, Asked, Weaker, Failed].map(|verdict| event(verdict, Access::Read));
    of_others.into_iter().chain(of_each).collect()
}

fn full(verdict: Verdict) -> Value {
    let mut report = Report::failure(verdict, "reason", "hint");
    let row = |layers, void| Enforcement {
        rule: "read /usr".into(),
        origin: "@base:1".into(),
        layers,
        gap: None,
        void,
    };
    report.enforced = vec![
        row(LAYERS.to_vec(), None),
        row(Vec::new(), Some(Void::Absent)),
        row(Vec::new(), Some(Void::TooMuch)),
    ];
    report.limits = vec![LimitHeld {
        limit: LimitKind::Fsize,
        value: "1 GiB".into(),
        by: "RLIMIT_FSIZE".into(),
        hit: false,
    }];
    report.forwarded = vec![15];
    report.events = events();
    report.more_events = 7;
    serde_json::to_value(report).unwrap()
}

/// The parts of JSON Schema that the file uses. Every property must be described and every required one be there.
fn conforms(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(name.trim_start_matches('#')).ok_or(format!("{at}: no {name}"))?;
        return conforms(root, target, value, at);
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        return Err(format!("{at}: {value} is not in the list"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Err(format!("{at}: {value} is another value"));
    }
    if let Some(object) = value.as_object() {
        let known = schema["properties"].as_object().ok_or(format!("{at}: no properties"))?;
        for (name, inner) in object {
            let schema = known.get(name).ok_or(format!("{at}.{name} is not described"))?;
            conforms(root, schema, inner, &format!("{at}.{name}"))?;
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            object.get(name.as_str().unwrap()).ok_or(format!("{at}: {name} is missing"))?;
        }
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        conforms(root, &schema["items"], inner, &format!("{at}[{index}]"))?;
    }
    Ok(())
}

#[test]
fn reports_of_every_verdict_conform() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    for verdict in verdicts() {
        assert_eq!(conforms(&schema, &schema, &full(verdict), "report"), Ok(()));
    }
}

#[test]
fn lines_of_events_conform() {
    let schema: Value = serde_json::from_str(EVENTS).unwrap();
    let folder = Folder::new("lines");
    let file = folder.path().join("events");
    let stream = Stream::open(&Target::File(file.clone())).unwrap();
    let mut report = Report::new(Verdict::Exited { code: 0 });
    report.events = events();
    stream.finish(&report).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), report.events.len() + 1);
    for line in lines {
        let of = if line.get("end").is_some() { "last" } else { "event" };
        assert_eq!(conforms(&schema, &schema["$defs"][of], &line, of), Ok(()));
    }
    let both: Value = serde_json::from_str(SCHEMA).unwrap();
    for shared in ["event", "duration"] {
        assert_eq!(schema["$defs"][shared], both["$defs"][shared], "the two schemas differ");
    }
}

#[test]
fn what_is_no_report_does_not_conform() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut odd = full(Verdict::TimedOut);
    odd["verdict"]["kind"] = "fine".into();
    assert!(conforms(&schema, &schema, &odd, "report").is_err());
    let mut extra = full(Verdict::TimedOut);
    extra["enforced"][0]["more"] = 1.into();
    assert!(conforms(&schema, &schema, &extra, "report").is_err());
}
