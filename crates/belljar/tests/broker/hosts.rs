//! One policy, one list of deeds, hosts that offer more or less: the verdicts agree. What differs is listed.

use belljar::HostFacts;
use belljar::probe::Userns;

use super::support::jars::{self, Place};

/// Deeds: each says `yes` when it could be done.
const DEEDS: &[&str] = &[
    "cat victim",
    "cat $O/secret",
    "cat /etc/shadow",
    "echo x > new && cat new",
    "echo x > $O/new",
    "echo x > /usr/new",
    "stat victim",
    "stat $O/secret",
    "stat $O",
    "ls $O",
    "test -e $O/secret",
    "readlink $O/link",
    "ln -s $O/secret l && cat l",
    "ln -s $O/secret l && stat -L l",
    "ln -s ../outside l && ls l/",
    "chmod 600 victim && test $(stat -c %a victim) = 600",
    "chmod 600 $O/victim",
    "chmod u+s victim",
    "ln -s $O/victim l && chmod 600 l",
    "touch -d @5 victim && test $(stat -c %Y victim) = 5",
    "touch -d @5 $O/victim",
    "touch $O/fresh",
    "cp -p victim copy && cmp victim copy",
    "install -m 700 victim copy && test -x copy",
    "chgrp $(id -g) victim",
    "chgrp $(id -g) $O/victim",
    "truncate -s 1 victim",
    "truncate -s 1 $O/victim",
    "ln victim two && stat two",
    "ln $O/secret two",
    "ln /usr/bin/env two",
    "mv victim away && mv away victim",
    "mv $O/victim .",
    "mv victim $O/",
    "mkdir d && rmdir d",
    "mkdir $O/d",
    "rm $O/victim",
    "rm victim",
    "stat -f $O",
    "cd $O",
    "cd $O && cat secret",
    "exec 3< . && cat /proc/self/fd/3/../outside/secret",
    "mkdir d && mv d e && cat e/../victim",
    "cat ../outside/secret",
    "cat $G/../outside/secret",
    "ls -d /root/. || ls /home",
    "/usr/bin/true",
    "$O/../other/true",
    "cp $O/../other/true copy",
    "cat < /dev/null && echo x > /dev/null",
    "rm -rf /var/tmp/.",
];

/// What the host's own tree lets be seen, on which hosts, and why.
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    (
        "cd $O",
        &[NO_NAMESPACES, NEITHER],
        "the current folder is the caller's own: only the kernel can change it, and Landlock does not look",
    ),
    (
        "$O/../other/true",
        &[NEITHER],
        "only the kernel can run a program, which it reads by a path in the caller's memory: nothing but Landlock looks",
    ),
];

const NO_NAMESPACES: &str = "no namespaces";
const NEITHER: &str = "neither namespaces nor Landlock";

fn verdicts(facts: &HostFacts, flags: &[(&str, &str)]) -> Vec<(&'static str, bool)> {
    DEEDS.iter().map(|deed| (*deed, verdict(facts, flags, deed))).collect()
}

fn verdict(facts: &HostFacts, flags: &[(&str, &str)], deed: &str) -> bool {
    let place = Place::new();
    let outside = place.outside();
    std::os::unix::fs::symlink("secret", outside.join("link")).unwrap();
    let other = place.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::copy("/usr/bin/true", other.join("true")).unwrap();
    if super::support::is_root() {
        // Whom the jar runs as then.
        let nobody = (Some(65534), Some(65534));
        for path in [place.granted(), place.granted().join("victim")] {
            std::os::unix::fs::chown(path, nobody.0, nobody.1).unwrap();
        }
    }
    let mut command = jars::shell(&place, flags, &format!("{{ {deed}; }} >/dev/null 2>&1 && echo yes"));
    let done = jars::finish(command.host(facts.clone())).unwrap();
    let harmed = std::fs::read_to_string(outside.join("victim")).unwrap_or_default() != "unharmed";
    assert!(!harmed && Place::names(&outside) == ["link", "secret", "victim"], "{deed}");
    done.out == "yes\n"
}

#[test]
fn one_policy_has_the_same_verdicts_on_richer_and_poorer_hosts() {
    if !super::has_broker() {
        return;
    }
    let rich = belljar::probe::probe();
    let (mut without_namespaces, mut without_landlock) = (rich.clone(), rich.clone());
    without_namespaces.userns = Userns::Refused;
    without_landlock.landlock = 0;
    let mut without_both = without_namespaces.clone();
    without_both.landlock = 0;
    let flags = [("-p", "@strict"), ("-w", "."), ("--allow-weaker", "fs")];
    // Signals: Landlock sees them from ABI 6 on.
    let weaker = [flags.as_slice(), &[("--allow-weaker", "ipc")]].concat();
    let traced = [&weaker[..], &[("--trace", "")]].concat();
    let expected = verdicts(&rich, &weaker);
    assert!(expected.iter().filter(|(_, done)| *done).count() > 10, "{expected:?}");
    for (host, facts) in [
        ("namespaces and Landlock", &rich),
        (NO_NAMESPACES, &without_namespaces),
        ("no Landlock", &without_landlock),
        (NEITHER, &without_both),
    ] {
        for flags in [&weaker, &traced] {
            let found = verdicts(facts, flags);
            for (want, got) in expected.iter().zip(found) {
                let excepted =
                    EXCEPTIONS.iter().any(|(deed, hosts, _)| *deed == want.0 && hosts.contains(&host));
                assert!(excepted || *want == got, "{host} {flags:?}: {} should be {}", want.0, want.1);
            }
        }
    }
}

/// One listener hears both what the broker answers and what the filter refuses.
#[test]
fn refusals_of_the_filter_are_told_on_a_host_without_namespaces() {
    if !super::has_broker() || !super::support::has("perl", std::fs::metadata("/usr/bin/perl").is_ok()) {
        return;
    }
    let mut facts = belljar::probe::probe();
    facts.userns = Userns::Refused;
    let place = Place::new();
    let script = "perl -e 'print -e q(victim), syscall(101, 0, 0, 0, 0) == -1 ? $!+0 : 0'";
    let flags = [("-p", "@strict"), ("-w", "."), ("--allow-weaker", "fs"), ("--allow-weaker", "ipc")];
    let mut told = Vec::new();
    for tells in [false, true] {
        let mut command = jars::shell(&place, &flags, script);
        let done = jars::finish(command.host(facts.clone()).tell_refusals(tells)).unwrap();
        assert_eq!(done.out, "11", "{}", done.err);
        told.push(done.report.denials().filter(|event| event.call == "ptrace").count());
    }
    assert_eq!(told, [0, 1]);
}
