//! A judge that remembers what it was asked, and refuses one path on top of the policy.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use belljar::Command;
use belljar::broker::{Judge, Request, Rule, Verdict, Wanted};

type Seen = Arc<Mutex<Vec<(&'static str, Wanted, PathBuf)>>>;

/// What was asked.
#[derive(Clone, Default)]
pub(crate) struct Spy {
    seen: Seen,
}

struct Watching {
    inner: Arc<dyn Judge>,
    seen: Seen,
    refuses: PathBuf,
}

impl Spy {
    /// Watches a command's broker.
    pub(crate) fn on(&self, command: &mut Command, refuses: &Path) {
        let (seen, refuses) = (Arc::clone(&self.seen), refuses.to_path_buf());
        command
            .judge(move |inner| Arc::new(Watching { inner, seen: seen.clone(), refuses: refuses.clone() }));
    }

    /// How often this was asked.
    pub(crate) fn asked(&self, wanted: Wanted, path: &Path) -> usize {
        self.seen.lock().unwrap().iter().filter(|(_, what, at)| *what == wanted && at == path).count()
    }
}

impl Judge for Watching {
    fn judge(&self, request: &Request<'_>) -> Verdict {
        let path = request.path().unwrap_or(Path::new(""));
        self.seen.lock().unwrap().push((request.call, request.wanted, path.to_path_buf()));
        if path == self.refuses {
            let rule = Rule { text: "the test refuses it".into(), origin: "test".into() };
            return Verdict::Refuse { errno: 71, rule };
        }
        self.inner.judge(request)
    }
}
