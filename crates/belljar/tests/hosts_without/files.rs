//! Files of the host's tree: what is outside of every grant, and what is narrower inside of one.

use belljar::probe::Userns;
use belljar::{Command, HostFacts};

use super::support::has_python;
use super::support::jars::{self, Place, SECRET};
use super::{jar, jar_under, refused, weaker, what_is_granted_works_and_nothing_is_made_on_the_host};

pub(crate) fn reading_outside_is_refused(facts: &HostFacts) {
    let secret = |_: &Place, printed: &str| printed.contains(SECRET);
    for script in [
        "cat $O/secret",
        "ln -s $O/secret $G/link; cat $G/link",
        "cd $O && cat secret",
        "ln $O/secret $G/hard; cat $G/hard",
    ] {
        refused(facts, script, secret);
    }
    refused(facts, "ls $O", |_, printed| printed.contains("secret"));
    refused(facts, "cp /bin/echo $O/echo; chmod 755 $O/echo; $O/echo ran > $G/ran", |place, _| {
        std::fs::read_to_string(place.granted().join("ran")).is_ok_and(|text| text == "ran\n")
    });
}

pub(crate) fn a_hidden_file_in_a_granted_folder_is_refused(facts: &HostFacts) {
    let place = Place::new();
    let flags = |hide: &'static [&'static str]| {
        let all = place.path().to_str().unwrap().to_owned();
        let hidden = hide.iter().map(move |name| format!("{all}/{name}"));
        hidden.collect::<Vec<_>>()
    };
    let script = "cat $O/victim; cat $O/secret; cat $G/victim";
    for (hide, secret, granted) in [
        (&[][..], true, true),
        (&["outside/secret"], false, true),
        (&["outside/secret", "granted"], false, false),
    ] {
        let hidden = flags(hide);
        let mut words = weaker(facts);
        words.push(("-r", place.path().to_str().unwrap()));
        words.extend(hidden.iter().map(|path| ("--hide", path.as_str())));
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(place.script(script)).policy(jars::policy(&place.outside(), &words));
        let done = jars::finish(command.current_dir("/").host(facts.clone())).unwrap();
        assert_eq!(done.out.contains(SECRET), secret, "{hide:?} {done:?}");
        assert_eq!(done.out.matches("unharmed").count(), 1 + usize::from(granted), "{hide:?} {done:?}");
    }
}

pub(crate) fn narrower_grants_below_a_grant_for_reading_hold(facts: &HostFacts) {
    let script = "cp /bin/echo $O/tool; chmod 755 $O/tool";
    for (narrow, runs) in [(false, true), (true, false)] {
        let place = Place::new();
        jars::control(&place, script);
        let (all, outside) = (place.path().to_owned(), place.outside());
        let mut flags = weaker(facts);
        flags.push(("-r", all.to_str().unwrap()));
        if narrow {
            flags.push(("--read-noexec", outside.to_str().unwrap()));
        }
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(place.script("cat $O/secret; ls $O; $O/tool ran"));
        command.policy(jars::policy(&place.granted(), &flags)).current_dir("/").host(facts.clone());
        let done = jars::finish(&mut command).unwrap();
        assert!(done.out.contains(SECRET) && done.out.contains("tool"), "{done:?}");
        assert_eq!(done.out.contains("ran\n"), runs, "{done:?}");
    }
}

fn changed(place: &Place, _: &str) -> bool {
    let victim = place.outside().join("victim");
    Place::names(&place.outside()) != ["secret", "victim"]
        || std::fs::read_to_string(victim).is_ok_and(|text| text != "unharmed")
}

pub(crate) fn writing_outside_is_refused(facts: &HostFacts) {
    for script in [
        "echo harm > $O/victim",
        "echo harm >> $O/victim",
        ": > $O/new",
        "mkdir $O/folder",
        "rm $O/victim",
        "mv $O/victim $G/",
        "mv $G/victim $O/taken",
        "ln -s x $O/link",
        "ln $G/victim $O/hard",
        "mkfifo $O/pipe",
        "cd $O && echo harm > victim",
        "ln -s $O/victim $G/link; echo harm > $G/link",
    ] {
        refused(facts, script, changed);
    }
    if !has_python() {
        return;
    }
    refused(facts, "truncate -s 3 $O/victim", changed);
    for mode in ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"] {
        let script = format!("python3 -c 'import os; os.open(\"'$O'/victim\", os.{mode} | os.O_TRUNC)'");
        refused(facts, &script, changed);
    }
    refused(facts, "python3 -c 'import os; os.truncate(\"'$O'/victim\", 3)'", changed);
}

/// Each version of Landlock that this kernel can pretend to be.
#[test]
fn older_landlocks_hold_the_same_files() {
    let mut facts = belljar::probe::probe();
    facts.userns = Userns::Refused;
    for abi in 1..=facts.landlock {
        facts.landlock = abi;
        writing_outside_is_refused(&facts);
        what_is_granted_works_and_nothing_is_made_on_the_host(&facts);
        a_file_that_may_be_read_is_not_emptied(&facts);
        ways_of_opening_outside_are_refused(&facts);
    }
}

pub(crate) fn a_file_that_may_be_read_is_not_emptied(facts: &HostFacts) {
    if !has_python() {
        return;
    }
    for attack in
        ["os.open(at, os.O_RDONLY | os.O_TRUNC)", "os.open(at, 3 | os.O_TRUNC)", "os.truncate(at, 0)"]
    {
        for jarred in [false, true] {
            let place = Place::new();
            let script =
                format!("python3 -c 'import os, sys; at = sys.argv[1]; {attack}' $O/victim; cat $O/victim");
            let outside = place.outside();
            let mut flags = weaker(facts);
            flags.push(("-r", outside.to_str().unwrap()));
            let printed = if jarred {
                jars::finish(jars::shell(&place, &flags, &script).host(facts.clone())).unwrap().out
            } else {
                jars::control(&place, &script)
            };
            assert_eq!(printed.contains("unharmed"), jarred, "{attack} {printed}");
        }
    }
}

pub(crate) fn ways_of_opening_outside_are_refused(facts: &HostFacts) {
    if !has_python() {
        return;
    }
    for mode in ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"] {
        let script = format!(
            "python3 -c 'import os, sys; os.open(sys.argv[1], os.{mode}); print(\"opened\")' $O/victim"
        );
        refused(facts, &script, |_, printed| printed.contains("opened"));
    }
}

pub(crate) fn attributes_outside_stay(facts: &HostFacts) {
    use std::os::unix::fs::MetadataExt;
    // The jar's user owns the file, so that nothing but the jar stands in the way.
    let made = "cp $G/victim $G/../mine; ";
    let mine = |place: &Place| std::fs::metadata(place.path().join("mine"));
    let attack = |change: &str, is_changed: fn(&std::fs::Metadata) -> bool| {
        for jarred in [false, true] {
            let place = Place::new();
            jars::control(&place, &format!("{made} chmod 640 $G/../mine; touch -d @1000 $G/../mine"));
            let change = change.replace("FILE", "$G/../mine");
            if jarred {
                jars::finish(&mut jar(facts, &place, &change)).unwrap();
            } else {
                jars::control(&place, &change);
            }
            assert_eq!(is_changed(&mine(&place).unwrap()), !jarred, "{change}");
        }
    };
    attack("chmod 777 FILE", |meta| meta.mode() & 0o777 != 0o640);
    attack("touch -d @2000 FILE", |meta| meta.mtime() != 1000);
    attack("touch FILE", |meta| meta.mtime() != 1000);
    if !has_python() {
        return;
    }
    attack("python3 -c 'import os, sys; os.utime(sys.argv[1], (7, 7))' FILE", |meta| meta.mtime() == 7);
}

pub(crate) fn what_the_self_probe_is_refused_is_not_told(facts: &HostFacts) {
    let place = Place::new();
    let done = jars::finish(&mut jar_under(facts, &place, &[("--trace", "")], "exit 0")).unwrap();
    let told: Vec<_> = done.report.denials().filter(|event| event.program != "sh").collect();
    assert!(told.is_empty(), "{told:?}");
}

pub(crate) fn what_is_nowhere_is_not_told_as_refused(facts: &HostFacts) {
    let place = Place::new();
    let script = "cat $O/none; cat $O/secret";
    let done = jars::finish(&mut jar_under(facts, &place, &[("--trace", "")], script)).unwrap();
    let told = |name: &str| done.report.denials().any(|event| event.object.ends_with(name));
    assert!(told("/outside/secret") && !told("/outside/none"), "{:?}", done.report.events);
}
