//! Sources and flags to one policy.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::check;
use crate::document::{Entry, Node, Source, Value};
use crate::error::{Fault, PolicyError};
use crate::flags::{self, FlagValue};
use crate::layer::{Layer, wrong};
use crate::merge::merge;
use crate::model::{Origin, Policy, Setting};
use crate::presets::{self, DEFAULT_PRESET, PRESETS, preset_text};
use crate::read::Reading;
use crate::text::{nearest, printable};
use crate::value::path::{Base, fold};

/// How many files may extend one another in a row.
const MAX_DEPTH: usize = 8;

/// How many presets and files a policy may be made of.
const MAX_SOURCES: usize = 64;

/// Reads a policy file. The only way out of this crate, so that loading can be tested and bounded by the caller.
pub type Reader<'a> = dyn Fn(&Path) -> io::Result<String> + 'a;

/// Where rules come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// A preset (`@strict`) or a file, as `--policy` names it.
    Named(OsString),
    /// Text at hand, TOML or JSON.
    Text {
        /// Shown in messages; relative paths count from its folder.
        name: PathBuf,
        /// The document.
        text: String,
    },
}

/// Everything a policy is made from. Nothing in it was checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Presets and files, in order. None, here and among the flags: the preset `@strict`.
    pub inputs: Vec<Input>,
    /// Flags of the command line, in order; they win over every source. `--policy` among them adds a source.
    pub flags: Vec<FlagValue>,
    /// Folder that relative paths of presets and flags count from; absolute.
    pub cwd: PathBuf,
    /// What `~` stands for; absolute.
    pub home: Option<PathBuf>,
}

impl Request {
    /// A request of one text.
    #[must_use]
    pub fn text(name: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let input = Input::Text { name: name.into(), text: text.into() };
        Self { inputs: vec![input], cwd: PathBuf::from("/"), ..Self::default() }
    }
}

/// Reads, checks and merges everything a request names.
///
/// ```
/// use belljar_policy::{Access, FlagValue, NetMode, Request, load};
/// let request = Request {
///     flags: vec![FlagValue::new("-w", "out"), FlagValue::new("--net", "example.org:443")],
///     cwd: "/src/project".into(),
///     ..Request::default()
/// };
/// let policy = load(&request, &|_| Err(std::io::ErrorKind::NotFound.into()))?;
/// assert_eq!(policy.net.mode.value, NetMode::List);
/// assert!(policy.fs.rules.iter().any(|rule| rule.access == Access::Write));
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
///
/// # Errors
/// The first thing that is wrong, with its place and remedy.
pub fn load(request: &Request, reader: &Reader<'_>) -> Result<Policy, PolicyError> {
    let mut loader = Loader {
        request,
        reader,
        policy: Policy::none(),
        permitted: Vec::new(),
        open: Vec::new(),
        done: Vec::new(),
    };
    let (policies, flags): (Vec<_>, Vec<_>) =
        request.flags.iter().cloned().partition(|typed| matches!(typed.flag.as_str(), "--policy" | "-p"));
    if request.inputs.is_empty() && policies.is_empty() {
        loader.named(OsStr::new(DEFAULT_PRESET), &request.cwd)?;
    }
    for input in &request.inputs {
        loader.input(input)?;
    }
    for typed in &policies {
        let named = |name: &OsString| loader.named(name, &request.cwd);
        let result = typed.key().and_then(|_| typed.value.as_ref().map_or(Ok(()), named));
        result.map_err(|error| error.at(|| typed.place()))?;
    }
    let base = Base { folder: &request.cwd, home: request.home.as_deref() };
    loader.add(flags::layer(&flags, base)?)?;
    check::finish(loader.policy, &loader.permitted, base)
}

struct Loader<'a> {
    request: &'a Request,
    reader: &'a Reader<'a>,
    policy: Policy,
    permitted: Vec<Setting<PathBuf>>,
    /// Files being read, outermost first.
    open: Vec<PathBuf>,
    /// What was read: a source counts once.
    done: Vec<PathBuf>,
}

/// One text, and how its rules name it.
#[derive(Clone, Copy)]
struct Text<'t> {
    name: &'t str,
    text: &'t str,
    folder: &'t Path,
    origin: &'t dyn Fn(u32) -> Origin,
}

impl Loader<'_> {
    fn input(&mut self, input: &Input) -> Result<(), PolicyError> {
        match input {
            Input::Named(name) => self.named(name, &self.request.cwd),
            Input::Text { name, text } => self.file(name, &self.request.cwd.join(name), Some(text)),
        }
    }

    fn named(&mut self, name: &OsStr, folder: &Path) -> Result<(), PolicyError> {
        if let Some(name) = name.to_str().filter(|name| name.starts_with('@')) {
            return self.preset(name);
        }
        let path = folder.join(name);
        let shown = if folder == self.request.cwd { Path::new(name) } else { &path };
        self.file(shown, &path, None)
    }

    fn preset(&mut self, name: &str) -> Result<(), PolicyError> {
        let names = PRESETS.iter().map(|(name, _)| *name);
        let text = preset_text(name).ok_or_else(|| crate::value::name::unknown(name, "preset", names))?;
        if !self.enter(PathBuf::from(name))? {
            return Ok(());
        }
        if self.prepared(name)? {
            self.done.extend(self.open.pop());
            return Ok(());
        }
        let origin = |line| Origin::Preset { name: name.to_owned(), line };
        self.document(Text { name, text, folder: &self.request.cwd, origin: &origin })
    }

    /// Takes a preset from its rows; false when its text must be read, for the place of an error.
    fn prepared(&mut self, name: &str) -> Result<bool, PolicyError> {
        let Some(ready) = presets::ready(name) else { return Ok(false) };
        let base = Base { folder: &self.request.cwd, home: self.request.home.as_deref() };
        let Ok(layer) = presets::layer(name, ready, base) else { return Ok(false) };
        for parent in ready.extends {
            self.preset(parent)?;
        }
        self.add(layer)?;
        Ok(true)
    }

    fn file(&mut self, shown: &Path, path: &Path, text: Option<&str>) -> Result<(), PolicyError> {
        // Folded before it is read, so that what is read and what counts as read once are the same file.
        let path = fold(path);
        if !self.enter(path.clone())? {
            return Ok(());
        }
        let read;
        let text = match text {
            Some(text) => text,
            None => {
                read = (self.reader)(&path).map_err(|error| unreadable(shown, &error))?;
                &read
            }
        };
        let origin = |line| Origin::File { path: shown.to_owned(), line };
        let folder = path.parent().unwrap_or(Path::new("/"));
        self.document(Text { name: &printable(shown.as_os_str()), text, folder, origin: &origin })
    }

    /// Whether a source is new; refuses cycles and too many.
    fn enter(&mut self, identity: PathBuf) -> Result<bool, PolicyError> {
        if self.open.contains(&identity) {
            return Err(PolicyError::new(Fault::Cycle(printable(identity.as_os_str()))));
        }
        if self.done.contains(&identity) {
            return Ok(false);
        }
        if self.open.len() == MAX_DEPTH || self.done.len() == MAX_SOURCES {
            return Err(PolicyError::new(Fault::TooDeep));
        }
        self.open.push(identity);
        Ok(true)
    }

    fn document(&mut self, text: Text<'_>) -> Result<(), PolicyError> {
        let source = Source::new(text.name, text.text);
        let entries = source.parse()?;
        version(&source, &entries)?;
        if let Some(extends) = entries.iter().find(|entry| entry.name == "extends") {
            self.extends(&source, text.folder, &extends.node)?;
        }
        let base = Base { folder: text.folder, home: self.request.home.as_deref() };
        let reading = Reading { source: &source, base, origin: text.origin };
        let layer = reading.layer(&entries)?;
        self.add(layer).map_err(|error| error.at(|| source.place(&(0..0))))?;
        self.done.extend(self.open.pop());
        Ok(())
    }

    fn extends(&mut self, source: &Source<'_>, folder: &Path, node: &Node<'_>) -> Result<(), PolicyError> {
        let place = |node: &Node<'_>| source.place(&node.at);
        let Value::List(items) = &node.value else {
            return Err(wrong("a list", node.value.type_name()).at(|| place(node)));
        };
        for item in items {
            let Value::Text(name) = &item.value else {
                return Err(wrong("text", item.value.type_name()).at(|| place(item)));
            };
            self.named(OsStr::new(name.as_ref()), folder).map_err(|error| error.at(|| place(item)))?;
        }
        Ok(())
    }

    fn add(&mut self, mut layer: Layer) -> Result<(), PolicyError> {
        self.permitted.append(&mut layer.permitted);
        merge(&mut self.policy, layer)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> PolicyError {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or("");
    let preset = nearest(&format!("@{name}"), PRESETS.iter().map(|(name, _)| *name));
    let kind = error.kind();
    let error = PolicyError::new(Fault::Read { path: path.to_owned(), kind });
    match kind {
        io::ErrorKind::NotFound => {}
        io::ErrorKind::InvalidInput => return error.fix("name the file itself, or a preset such as @strict"),
        io::ErrorKind::InvalidData => return error,
        _ => return error.fix(format!("see that this works: cat {}", printable(path.as_os_str()))),
    }
    error.meant(preset).fix("`belljar policy show > FILE` writes one; names of presets begin with @")
}

/// Every document states the format it was written for.
fn version(source: &Source<'_>, entries: &[Entry<'_>]) -> Result<(), PolicyError> {
    let found = entries.iter().find(|entry| entry.name == "belljar");
    let remedy = "write belljar = 1 on the first line";
    match found.map(|entry| (&entry.node.value, &entry.node.at)) {
        Some((Value::Int(1), _)) => Ok(()),
        Some((Value::Int(other), at)) => {
            Err(PolicyError::new(Fault::Version(Some(*other))).fix(remedy).at(|| source.place(at)))
        }
        Some((other, at)) => Err(wrong("a number", other.type_name()).fix(remedy).at(|| source.place(at))),
        None => Err(PolicyError::new(Fault::Version(None)).fix(remedy).at(|| source.place(&(0..0)))),
    }
}
