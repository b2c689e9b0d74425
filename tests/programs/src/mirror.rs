//! Servers on the host's loopback that programs reach by name from a jar.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};

use crate::run::{self, Outcome, Rig};
use crate::watch;

/// The name that stands for the host's loopback in the jar.
const NAME: &str = "mirror.test";

/// Answers one connection from a folder.
type Serve = fn(&Path, TcpStream) -> Result<()>;

/// A server that counts who comes.
struct Mirror {
    port: u16,
    visits: Arc<AtomicUsize>,
}

impl Mirror {
    fn start(folder: PathBuf, serve: Serve) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let mirror = Self { port: listener.local_addr()?.port(), visits: Arc::default() };
        let visits = mirror.visits.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                visits.fetch_add(1, Ordering::SeqCst);
                let folder = folder.clone();
                // A client that goes away early has what it wanted.
                std::thread::spawn(move || serve(&folder, stream).ok());
            }
        });
        Ok(mirror)
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// The row's program talks to an HTTP server: outside by address, inside by name.
pub(crate) fn by_http(rig: &Rig<'_>) -> Result<()> {
    reached(rig, http)
}

/// The same with git's own protocol.
pub(crate) fn by_git(rig: &Rig<'_>) -> Result<()> {
    reached(rig, git)
}

/// The same with SSH.
pub(crate) fn by_ssh(rig: &Rig<'_>) -> Result<()> {
    reached(rig, ssh)
}

/// The same with a login: the server takes the key in the folder's home, and starts the client's command.
pub(crate) fn by_login(rig: &Rig<'_>) -> Result<()> {
    reached(rig, login)
}

/// An SSH agent of the host's: what it tells inside is what it tells outside.
pub(crate) fn by_agent(rig: &Rig<'_>) -> Result<()> {
    rig.fresh()?;
    let plain = rig.row.plain(rig);
    let at = plain.env.iter().find(|(name, _)| name == "SSH_AUTH_SOCK").context("no place for an agent")?;
    let path = PathBuf::from(&at.1);
    drop(fs::remove_file(&path));
    let mut agent = Command::new("ssh-agent").args(["-D", "-a"]).arg(&path).stdout(Stdio::null()).spawn()?;
    let told = by_agent_at(rig, &plain, &path);
    agent.kill()?;
    agent.wait()?;
    told
}

fn by_agent_at(rig: &Rig<'_>, plain: &run::Command, path: &Path) -> Result<()> {
    ensure!(watch::within(run::LIMIT, || path.symlink_metadata().is_ok()), "no agent");
    let added =
        Command::new("ssh-add").arg("-q").arg(rig.work.join("id")).env("SSH_AUTH_SOCK", path).status()?;
    ensure!(added.success(), "the agent takes no key");
    let (outside, inside) = (plain.run()?, rig.boxed_with(rig.row.flags, plain).run()?);
    ensure!(outside.code == 0, "outside: {}", outside.text());
    ensure!(inside == outside, "outside: {}\ninside: {}", outside.text(), inside.text());
    let without = rig.boxed_with(&["-w", "{work}", "-e", "SSH_AUTH_SOCK"], plain).run()?;
    ensure!(without.code != 0, "the agent was reached without a rule: {}", without.text());
    Ok(())
}

/// A server that sends its clients on to another one: the row's program follows it outside, and cannot inside.
pub(crate) fn by_redirect(rig: &Rig<'_>) -> Result<()> {
    let denied = Mirror::start(rig.work.join("site"), http)?;
    let onward = rig.work.with_extension("onward");
    fs::create_dir_all(&onward)?;
    fs::write(onward.join("target"), format!("http://127.0.0.1:{}/page", denied.port))?;
    let mirror = Mirror::start(onward, redirect)?;
    let outside = run(rig, &mirror, "127.0.0.1", false)?;
    ensure!(outside.code == 0 && denied.visits() > 0, "outside: {}", outside.text());
    let (before, followed) = (mirror.visits(), denied.visits());
    let inside = run(rig, &mirror, NAME, true)?;
    ensure!(mirror.visits() > before, "inside, nothing arrived: {}", inside.text());
    ensure!(denied.visits() == followed && inside.code != 0, "it was followed: {}", inside.text());
    Ok(())
}

fn reached(rig: &Rig<'_>, serve: Serve) -> Result<()> {
    let mirror = Mirror::start(rig.work.join("site"), serve)?;
    let outside = run(rig, &mirror, "127.0.0.1", false)?;
    ensure!(outside.code == 0 && mirror.visits() > 0, "outside, by address: {}", outside.text());
    let before = mirror.visits();
    let inside = run(rig, &mirror, NAME, true)?;
    ensure!(mirror.visits() > before, "inside, by name, nothing arrived: {}", inside.text());
    let same = (inside.code, &inside.stdout) == (outside.code, &outside.stdout);
    ensure!(same, "outside: {}\ninside: {}", outside.text(), inside.text());
    let before = mirror.visits();
    let refused = run(rig, &mirror, "127.0.0.1", true)?;
    ensure!(mirror.visits() == before, "an address that is not granted was reached: {}", refused.text());
    ensure!(refused.code != 0, "the program took a refusal for success: {}", refused.text());
    Ok(())
}

/// Runs the row's command with this host in place of `{host}`, and the server's port in place of `{served}`.
fn run(rig: &Rig<'_>, mirror: &Mirror, host: &str, inside: bool) -> Result<Outcome> {
    rig.fresh()?;
    let port = mirror.port.to_string();
    let mut plain = rig.row.plain(rig);
    for word in &mut plain.argv {
        *word = word.replace("{host}", host).replace("{served}", &port);
    }
    let (grant, leads) = (format!("{NAME}:{port}"), format!("{NAME}=127.0.0.1"));
    let flags = [rig.row.flags, &["-n", &grant, "--host", &leads]].concat();
    let command: run::Command = if inside { rig.boxed_with(&flags, &plain) } else { plain };
    command.run().with_context(|| format!("{} {host}", if inside { "inside" } else { "outside" }))
}

/// One GET of a file; `@HOST@` in a text becomes the host that the client named.
fn http(folder: &Path, mut stream: TcpStream) -> Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().context("no request")??;
    let (mut host, mut words) = (String::new(), request.split(' '));
    for line in lines {
        let line = line?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("host: ") {
            value.clone_into(&mut host);
        }
        if line.is_empty() {
            break;
        }
    }
    let path = words.nth(1).and_then(|target| target.split('?').next()).unwrap_or("/");
    let is_safe = !path.split('/').any(|part| part == "..");
    let named = folder.join(path.trim_start_matches('/'));
    let file = if named.is_dir() { named.join("index.html") } else { named };
    let body = fs::read(file).ok().filter(|_| is_safe);
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = match String::from_utf8(body.unwrap_or_default()) {
        Ok(text) => text.replace("@HOST@", &host).into_bytes(),
        Err(bytes) => bytes.into_bytes(),
    };
    let html = if path.ends_with('/') { "Content-Type: text/html\r\n" } else { "" };
    let head =
        format!("HTTP/1.1 {status}\r\n{html}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    Ok(stream.write_all(&body)?)
}

/// Sends the client to the address in the folder's file.
fn redirect(folder: &Path, mut stream: TcpStream) -> Result<()> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    // The request is read to its end, or the answer would be lost in a reset.
    lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).count();
    let target = fs::read_to_string(folder.join("target"))?;
    let head =
        format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    Ok(stream.write_all(head.as_bytes())?)
}

/// One connection for git's daemon.
fn git(folder: &Path, stream: TcpStream) -> Result<()> {
    let base = format!("--base-path={}", folder.display());
    hand_over(Command::new("git").args(["daemon", "--inetd", "--export-all", &base]), stream)
}

/// One connection for an SSH server with the folder's key.
fn ssh(folder: &Path, stream: TcpStream) -> Result<()> {
    hand_over(Command::new("/usr/sbin/dropbear").args(["-i", "-r"]).arg(folder.join("key")), stream)
}

/// One connection for an SSH server that finds root's home in the folder, in mounts of its own.
fn login(folder: &Path, stream: TcpStream) -> Result<()> {
    let script = "mount --bind \"$1/home\" ~root && exec /usr/sbin/dropbear -i -s -r \"$1/key\"";
    hand_over(Command::new("unshare").args(["-m", "sh", "-c", script, "sh"]).arg(folder), stream)
}

/// Runs a server that serves one connection by standard input and output.
fn hand_over(server: &mut Command, stream: TcpStream) -> Result<()> {
    let output = OwnedFd::from(stream.try_clone()?);
    server.stdin(Stdio::from(OwnedFd::from(stream))).stdout(Stdio::from(output)).stderr(Stdio::null());
    server.status()?;
    Ok(())
}
