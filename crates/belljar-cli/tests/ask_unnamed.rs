//! Questions about files without a name: what an answer grants, and what none can.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "seen/out.rs"]
mod out;
mod seen;
#[path = "seen/stage.rs"]
mod stage;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use out::{asked, files, names, open_folder};
use stage::Stage;

/// Saves as programs do that want a file whole or not at all: without a name first, with one where that cannot be had.
const SAVES: &str = "import ctypes, os, sys
d = sys.argv[1]
name = lambda old: ctypes.CDLL(None, use_errno=True).linkat(-100, old.encode(), -100, (d + '/saved').encode(), 0x400)
try:
    fd = os.open(d, os.O_TMPFILE | os.O_RDWR, 0o644)
    os.write(fd, b'whole\\n')
    try: weak = os.open('/proc/self/fd/%d' % fd, os.O_RDONLY)
    except PermissionError: weak = -1
    print(name('/proc/self/fd/%d' % weak) and ctypes.get_errno(), name('/proc/self/fd/%d' % fd))
except OSError as error:
    print(error.errno)
    with open(d + '/part', 'x') as part: part.write('whole\\n')
    os.link(d + '/part', d + '/saved'); os.unlink(d + '/part')
    try: os.open(d, os.O_TMPFILE | os.O_RDWR, 0o644)
    except OSError as error: print(error.errno)
print(open(d + '/saved').read(), end='')";

#[test]
fn a_file_without_a_name_is_a_question_and_so_is_its_name() {
    if !seen::is_ready(&["--require=fs=namespaces", "--", "python3", "-c", "1"]) {
        return;
    }
    let script = format!("python3 -c \"{SAVES}\" $DIR/out");
    for (name, answers, out, questions) in [
        ("unnamed", &["once", "once"][..], "13 0\nwhole\n", &["unnamed out", "create saved"][..]),
        (
            "unnamed-no",
            &["never", "once", "once"],
            "2\n95\nwhole\n",
            &["unnamed out", "create part", "create saved"],
        ),
    ] {
        let stage = Stage::new(name, answers);
        open_folder(&stage);
        let seen = stage.run(&[], &script);
        assert_eq!(seen.out, out, "{seen:?}");
        assert_eq!(asked(&stage), questions);
        assert_eq!(names(&stage), ["saved"]);
    }
    for (name, more) in [("unnamed-traced", &["--trace"][..]), ("unnamed-asked", &[])] {
        let stage = Stage::new(name, &[]);
        open_folder(&stage);
        let grants = format!("--write={}", stage.path("out").display());
        let seen = stage.run(&[&[grants.as_str()], more].concat(), &script);
        assert_eq!(seen.out, "13 0\nwhole\n", "only who can write it can give it a name: {seen:?}");
        assert_eq!((names(&stage), asked(&stage)), (vec!["saved".to_owned()], vec![]));
    }
}

/// Tries to make more of a file without a name than was granted.
const ABUSES: &str = "import ctypes, os, sys
d = sys.argv[1]
def tries(what):
    try: return what() or 0
    except OSError as error: return error.errno
def name(fd, new, how=0x400):
    old, at = ('/proc/self/fd/%d' % fd, -100) if how == 0x400 else ('', fd)
    return ctypes.CDLL(None, use_errno=True).linkat(at, old.encode(), -100, new.encode(), how) and ctypes.get_errno()
T = os.O_TMPFILE
print(tries(lambda: os.open(d, T | os.O_RDWR, 0o4666)), *[tries(lambda: os.open(at, how, 0o666)) for at, how in [(d, T), (d, os.O_PATH | T | os.O_RDWR),
    (d, T | os.O_CREAT | os.O_RDWR), (d + '/there', T | os.O_RDWR), (d + '/link', T | os.O_RDWR), (d + '/.git', T | os.O_RDWR),
    (d + '/../out', T | os.O_RDWR), ('/etc', T | os.O_RDWR), ('/', T | os.O_WRONLY), ('/proc', T | os.O_WRONLY)]])
fd = os.open(d, T | os.O_RDWR, 0o777)
print(oct(os.fstat(fd).st_mode), tries(lambda: os.open('..', os.O_RDONLY, dir_fd=fd)))
print(*[name(fd, d + '/' + new, how) for new in ['.envrc', '.git/config', 'there', 'link', 'no'] for how in (0x400, 0x1000)])
print(name(fd, '/tmp/mine'), name(os.open('/tmp', T | os.O_RDWR, 0o600), d + '/mine'), name(os.open(d, T | os.O_EXCL | os.O_RDWR, 0o600), d + '/yes'))
os.write(fd, b'text'); print(name(fd, d + '/yes', 0x1000), os.unlink(d + '/yes'), os.listdir('/tmp'))";

#[test]
fn a_file_without_a_name_gives_nothing_else_of_its_folder() {
    if !seen::is_ready(&["--require=fs=namespaces", "--", "python3", "-c", "1"]) {
        return;
    }
    let stage = Stage::new("unnamed-abuse", &["once", "never", "never", "once", "once"]);
    files(&stage, &["there"]);
    symlink(stage.path("out"), stage.path("out/link")).unwrap();
    fs::create_dir(stage.path("out/.git")).unwrap();
    fs::set_permissions(stage.path("out/.git"), fs::Permissions::from_mode(0o777)).unwrap();
    let seen = stage.run(&[], &format!("cd /; python3 -c \"{ABUSES}\" $DIR/out"));
    let out = "1 22 2 22 2 2 2 2 30 30 30\n0o100644 13\n2 2 2 2 2 2 2 2 2 2\n18 18 2\n0 None []\n";
    assert_eq!(seen.out, out, "{seen:?}");
    let questions = stage.questions();
    let kinds: Vec<&str> = questions.iter().map(|asked| asked["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unnamed", "write", "create", "create"]);
    assert_eq!(questions[0]["answers"], serde_json::json!(["once", "never"]), "each rule would grant more");
    assert_eq!(names(&stage), [".git", "link", "there"]);
    assert_eq!(fs::read_to_string(stage.path("out/there")).unwrap(), "there\n");
    assert_eq!(fs::read_dir(stage.path("out/.git")).unwrap().count(), 0);
}
