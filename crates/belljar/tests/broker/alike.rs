//! Scripts whose output is the same with and without the broker, whatever it is: the broker's verdicts are the kernel's.

use super::support::has_python;
use super::support::jars::{self, Place, SECRET};

pub(crate) const TRACE: &[(&str, &str)] = &[("-p", "@strict"), ("-w", "."), ("--trace", "")];

/// Opening and making files.
const OPEN: &[&str] = &[
    "cat $O/secret 2>/dev/null || echo refused",
    "ln -s $O/secret link; cat link 2>/dev/null || echo refused",
    "ln -s ../granted/victim link; cat link",
    "echo more >> victim; cat victim",
    "echo new > fresh; cat fresh; stat -c %a fresh",
    "umask 027; echo new > fresh; stat -c %a fresh",
    "set -C; echo again 2>/dev/null > victim || echo exists",
    "mkdir -p a/b; cd a/b; echo deep > ../../top; cat ../../top ../../a/../top",
    "cat < . 2>/dev/null || echo folder",
    "echo x 2>/dev/null > /usr/x || echo refused",
    "echo x 2>/dev/null > /etc/hostname || echo refused",
    "cat /etc/shadow 2>/dev/null || echo refused",
    "cat /proc/self/comm /proc/thread-self/comm",
    "exec 3< victim; cat /dev/fd/3 /proc/self/fd/3",
    "cat victim | cat /dev/stdin",
    "cat < /proc/self/root/etc/hostname > /dev/null; echo $?",
    "cat /proc/1/environ 2>/dev/null || echo refused",
    "cat /proc/1/root/etc/hostname 2>/dev/null || echo refused",
    "cat /dev/tty 2>/dev/null || echo none",
    "head -c 4 /dev/zero | od -An -tx1; echo gone > /dev/null",
    "ln -s loop loop; cat loop 2>&1",
    "cat victim/ 2>&1; cat victim/x 2>&1; cat none/x 2>&1; cat '' 2>&1",
    "ln -s made dangling; echo through > dangling; cat made",
    "mkfifo f; (echo through > f) & cat f; wait",
    "ls / /proc/self/fd/ | grep -v '^[0-9]*$' | sort",
    "cd /; cat usr/../etc/../..$G/victim",
];

/// Looking.
const LOOK: &[&str] = &[
    "stat -c '%n %s %a %F' victim . / /usr /etc/passwd /dev/null /proc /tmp",
    "stat $O 2>&1; stat $O/secret 2>&1; stat none 2>&1; stat victim/x 2>&1; stat '' 2>&1",
    "ln -s victim l; ln -s none d; stat -c '%n %F' l d; stat -L -c '%n %F' l; stat -L d 2>&1",
    "for f in victim /etc/passwd /usr none $O/secret; do for t in e f d r w x s; do test -$t $f; echo $f $t $?; done; done",
    "readlink /proc/self/exe; ln -s a/b l; readlink l; readlink victim; echo $?; readlink /dev/fd; readlink /bin",
    "readlink -f ../granted/./victim; realpath /bin/../lib/.; cd /usr/lib; pwd -P",
    "stat -f -c %T /proc /dev /tmp; df /tmp > /dev/null; echo $?",
    "cd /tmp; stat -c %F - < /dev/null; ls -ld /proc/self/fd/0 > /dev/null; echo $?",
    "ls -l /proc/self/cwd | sed 's/.*> //'; readlink /proc/1/exe || echo refused",
    "ls -ld /etc/shadow /etc/machine-id | cut -c1-10",
    "cat /proc/self/task/*/comm; ls /proc/thread-self/ns > /dev/null; echo $?",
    "command -v python3 ls nothing; type cat",
];

/// Making, moving, removing.
const ENTRIES: &[&str] = &[
    "mkdir d d/e; mkdir d 2>&1; mkdir none/x 2>&1; mkdir /usr/x 2>&1; mkdir / 2>&1; mkdir . 2>&1; ls -d d d/e",
    "umask 077; mkdir d; mkfifo p; stat -c '%n %a %F' d p",
    "mkdir d; mkdir d/; rmdir d/; rmdir d 2>&1; rmdir victim 2>&1; rmdir / 2>&1; rmdir . 2>&1; echo $?",
    "rm victim; ls; rm none 2>&1; rm /etc/passwd 2>&1; rm /usr/bin/cat 2>&1; rm -r . 2>&1; echo $?",
    "mkdir d; unlink d 2>&1; unlink victim/ 2>&1; ln -s d l; rmdir l 2>&1; rmdir l/ 2>&1; unlink l; ls",
    "mv victim v2; mkdir d; mv v2 d; ls . d; mv d/v2 ../granted/back; ls; mv back $O/ 2>&1; mv /etc/passwd . 2>&1; ls",
    "echo a > a; mv -n a victim; cat victim; mv -T a victim; cat victim; mv victim none/x 2>&1",
    "mkdir a b; touch b/x; mv -T a b 2>&1; mv a a/b 2>&1; mv victim a/; ls a",
    "ln victim two; stat -c %h two; ln -s victim l; ln -P l l2; stat -c '%F %h' l2; ln -L l l3; stat -c %h l3",
    "ln /etc/passwd p 2>&1 | sed 's/.*: //'; ln $O/secret s 2>&1; ln victim /usr/v 2>&1; ln victim two/x 2>&1; ls",
    "ln -s x l; ln -s y l 2>&1; ln -s x none/l 2>&1; ln -s '' e 2>&1; ln -s x /usr/l 2>&1; readlink l",
    "mknod n p; mknod c c 1 3 2>&1; mknod b b 7 0 2>&1; stat -c %F n",
    "cp -a /etc/hostname h; cp -r /etc/alternatives a > /dev/null 2>&1; ls a | wc -l; rm -rf a h; ls",
    "mkdir -p t/a/b/c; touch t/a/f t/a/b/g; tar -cf t.tar t; rm -r t; tar -xf t.tar; find t | sort; rm -r t; ls",
];

/// Attributes.
const ATTRIBUTES: &[&str] = &[
    "touch f; chmod 600 f; stat -c %a f; chmod u+s f 2>&1; chmod 700 /etc/passwd 2>&1 | sed 's/.*: //'; chmod 4755 f 2>&1; stat -c %a f",
    "ln -s victim l; touch v; ln -s v w; chmod 640 w; stat -c %a v; chmod 600 none 2>&1; chmod 600 $O/victim 2>&1",
    "touch -d @1000 f; stat -c '%X %Y' f; touch -a -d @5 f; stat -c '%X %Y' f; touch -d @1 /etc/passwd 2>/dev/null || echo refused; test -e /etc/shadow; echo $?",
    "ln -s victim l; touch -h -d @7 l; stat -c %Y l; touch -c none; ls; touch $O/victim 2>&1",
    "touch f; chown $(id -u) f; chgrp $(id -g) f; chown 0 f 2>&1; chown -h 12345 f 2>&1; chown $(id -u) /usr 2>&1 | sed 's/.*: //'",
    "truncate -s 5 victim; cat victim; truncate -s 5 /etc/passwd 2>/dev/null || echo refused; truncate -s 5 none/x 2>&1; mkdir d; truncate -s 1 d 2>&1",
    "cp -p victim v; install -m 751 victim i; stat -c %a i; stat -c %Y v > a; stat -c %Y victim > b; cmp a b; echo $?",
];

/// The same by functions that shells do not have.
const PYTHON: &[&str] = &[
    "import os, subprocess\nprint(subprocess.check_output(['cat', 'victim'], cwd='.'))\nr, w = os.pipe()\npid = os.fork()\nif pid == 0:\n os.chdir('/usr'); print(os.path.exists('victim'), os.path.exists('bin'), flush=True); os._exit(0)\nos.waitpid(pid, 0)\nprint(os.path.exists('victim'))",
    "import os\nfor f in ('victim', '/etc/hostname', 'none'):\n for a in (1, 2, 4, 0):\n  print(f, a, os.access(f, a), os.access(f, a, effective_ids=True))",
    "import os\nd = os.open('.', os.O_RDONLY)\nprint(os.stat('victim', dir_fd=d).st_size, os.readlink('/proc/self/cwd') == os.getcwd())\nos.mkdir('x', dir_fd=d)\nos.rename('x', 'y', src_dir_fd=d, dst_dir_fd=d)\nprint(os.listdir(d))\nos.rmdir('y', dir_fd=d)\ntry:\n os.stat('x', dir_fd=99)\nexcept OSError as e: print(e)",
    "import os\nos.truncate('victim', 3)\nprint(open('victim').read())\nfor path, n in (('victim', -1), ('.', 1), ('none', 1)):\n try: os.truncate(path, n)\n except OSError as e: print(e)",
    "import os\nfor f in ('victim', 'none'):\n try:\n  os.setxattr(f, 'user.a', b'value'); print(os.getxattr(f, 'user.a'), os.listxattr(f)); os.removexattr(f, 'user.a'); print(os.listxattr(f))\n except OSError as e: print(e)",
    "import os\nfor name in ('user.' + 'x' * 300, '', 'trusted.a', 'security.a'):\n try: os.setxattr('victim', name, b'v')\n except OSError as e: print(e.errno)",
    "import os\nos.utime('victim', ns=(1, 2)); s = os.stat('victim'); print(s.st_atime_ns, s.st_mtime_ns)\nos.utime('victim'); print(os.stat('victim').st_mtime > 1e9)\nf = os.open('victim', os.O_RDONLY)\nos.utime(f, ns=(3, 4)); print(os.stat(f).st_mtime_ns, os.fstat(f).st_size, os.stat(0) is not None)",
    "import os\nr, w = os.pipe()\nprint(os.stat(r).st_mode, os.stat(f'/proc/self/fd/{r}').st_mode, os.readlink(f'/proc/self/fd/{r}').startswith('pipe:'))",
    "import os\nfor p in ('a' * 300, 'a/' * 3000, 'x\\xff', '/' * 4000 + 'etc/hostname', './' * 2000 + 'victim'):\n try: print(os.stat(p).st_size > 0)\n except OSError as e: print(e.errno)",
    "import os\nf = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o640)\nos.write(f, b'x'); print(oct(os.fstat(f).st_mode))\nos.link(f'/proc/self/fd/{f}', 'linked', follow_symlinks=True)\nprint(open('linked').read())",
    "import os\np = os.open('victim', os.O_PATH)\nprint(os.stat(p).st_size, open(f'/proc/self/fd/{p}').read())\ntry: os.read(p, 1)\nexcept OSError as e: print(e)\nfor flags in (os.O_DIRECTORY, os.O_CREAT | os.O_EXCL, os.O_NOFOLLOW, os.O_RDONLY | os.O_TRUNC):\n try: os.close(os.open('victim', flags)); print(flags)\n except OSError as e: print(e)",
    "import os, tempfile, shutil, pathlib\nwith tempfile.TemporaryDirectory() as d:\n q = pathlib.Path(d, 'a'); q.write_text('t'); shutil.copytree(d, 'copy'); print(sorted(os.listdir('copy')))\nshutil.rmtree('copy'); print(os.path.exists('copy'), pathlib.Path('victim').resolve() == pathlib.Path.cwd() / 'victim')",
    "import threading, os\nseen = []\ndef work(n):\n for i in range(50):\n  name = f't{n}.{i}'\n  open(name, 'w').close(); os.rename(name, name + 'x'); seen.append(os.stat(name + 'x').st_size); os.unlink(name + 'x')\nts = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n[t.start() for t in ts]; [t.join() for t in ts]\nprint(len(seen), sorted(os.listdir('.')))",
    "import ctypes, os, struct\nlibc = ctypes.CDLL(None, use_errno=True)\nfd = libc.inotify_init1(0)\nprint(libc.inotify_add_watch(fd, b'.', 0x100) > 0, libc.inotify_add_watch(fd, b'none', 0x100), ctypes.get_errno())\nopen('fresh', 'w').close()\nprint(b'fresh' in os.read(fd, 4096))",
];

/// Runs a script in a place under flags: what it printed.
type Runner<'a> = &'a dyn Fn(&Place, &[(&str, &str)]) -> (String, String);

fn same(script: &str, run: Runner<'_>) {
    let native = run(&Place::new(), &TRACE[..2]);
    let brokered = run(&Place::new(), TRACE);
    assert_eq!(brokered.0, native.0, "{script}\nbrokered: {}\nnative: {}", brokered.1, native.1);
    assert!(!brokered.0.contains(SECRET), "{script}");
    assert!(!native.0.is_empty(), "{script} shows something: {}", native.1);
}

/// Paths of places differ.
fn plain(place: &Place, text: String) -> String {
    text.replace(place.path().to_str().unwrap(), "PLACE")
}

fn shells(scripts: &[&str]) {
    if !super::has_broker() {
        return;
    }
    for script in scripts {
        same(script, &|place, flags| {
            let done = jars::finish(&mut jars::shell(place, flags, script)).unwrap();
            (plain(place, done.out), done.err)
        });
    }
}

#[test]
fn opening() {
    shells(OPEN);
}

#[test]
fn looking() {
    shells(LOOK);
}

#[test]
fn entries() {
    shells(ENTRIES);
}

#[test]
fn attributes() {
    shells(ATTRIBUTES);
}

#[test]
fn python() {
    if !super::has_broker() || !has_python() {
        return;
    }
    for script in PYTHON {
        same(script, &|place, flags| {
            let mut command = belljar::Command::new("/usr/bin/python3");
            command.arg("-c").arg(script).policy(jars::policy(&place.granted(), flags));
            let done = jars::finish(command.current_dir(place.granted())).unwrap();
            (plain(place, done.out), done.err)
        });
    }
}

#[test]
fn the_secret_can_be_read_without_a_jar() {
    assert_eq!(jars::control(&Place::new(), OPEN[0]), SECRET);
}
