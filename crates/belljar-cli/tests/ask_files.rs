//! Questions about looking at files, making them, and programs: what an answer grants, and what none can.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "seen/out.rs"]
mod out;
mod seen;
#[path = "seen/stage.rs"]
mod stage;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use out::{asked, files, names, open_folder};
use seen::{belljar, json};
use stage::Stage;

fn is_ready() -> bool {
    seen::is_ready(&["--require=fs=namespaces", "--", "true"])
}

#[test]
fn looking_is_a_question_and_tells_what_opening_gives() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("look", &["once", "never"]);
    let before = fs::metadata(stage.path("host/a")).unwrap().modified().unwrap();
    let script = "cd /tmp; test -e $DIR/host/a && stat -c '%s %F' $DIR/host/a && cp -p $DIR/host/a copy && cat copy; \
        test $DIR/host/a -nt copy || echo as old; test -d $DIR/host && echo way; test -r $DIR/host/b || echo no; \
        test -e $DIR/host/b || echo still; readlink -f $DIR/host/a; ls $DIR/host 2>&- || echo no list";
    let seen = stage.run(&[], script);
    let expected = format!(
        "10 regular file\ntext of a\nas old\nway\nno\nstill\n{}\nno list\n",
        stage.path("host/a").display()
    );
    assert_eq!(seen.out, expected, "{seen:?}");
    assert_eq!(asked(&stage), ["read a", "read b"], "each once, whatever the call");
    assert_eq!(fs::metadata(stage.path("host/a")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_listing_is_refused_with_the_flag_that_grants_it() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("list", &["always"; 9]);
    let seen = stage.run(&[], "ls -a $DIR/host; (exec 3< $DIR/host); echo done");
    assert_eq!(seen.out, "done\n", "{seen:?}");
    assert_eq!(asked(&stage), Vec::<String>::new());
    let report = json(&stage.path("report"));
    let told = report["events"].as_array().unwrap().iter().any(|event| {
        event["flag"].as_str() == Some(&format!("--read {}", stage.path("host").display()))
            && event["rule"] == "only a rule grants a folder"
    });
    assert!(told, "{report}");
}

#[test]
fn a_file_is_made_where_the_user_says_so() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("create", &["once", "never", "always", "never"]);
    open_folder(&stage);
    let script = "umask 022; cd /; echo one > $DIR/out/new; echo two >> $DIR/out/new; cat $DIR/out/new; \
        (echo x > $DIR/out/other) 2>&- || echo refused; (echo x > $DIR/out/other) 2>&- || echo again; \
        echo kept > $DIR/out/kept; mkdir $DIR/out/sub 2>&- || echo no folder; \
        ln -s /etc $DIR/out/link 2>&- || echo no link; mv $DIR/out/new $DIR/out/moved 2>&- || echo no move";
    let seen = stage.run(&[], script);
    let expected = "one\ntwo\nrefused\nagain\nno folder\nno link\nno move\n";
    assert_eq!(seen.out, expected, "{seen:?}");
    assert_eq!(asked(&stage), ["create new", "create other", "create kept", "create moved"]);
    let made = fs::metadata(stage.path("out/new")).unwrap();
    assert_eq!(made.permissions().mode() & 0o7777, 0o644, "never one that can be run");
    let mut names: Vec<_> =
        fs::read_dir(stage.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["kept", "new"]);
    let text = fs::read_to_string(stage.path("mine.toml")).unwrap();
    assert!(text.contains(&format!("\"?{}\" = \"write\"", stage.path("out/kept").display())), "{text}");
    let policy = format!("--policy={}", stage.path("mine.toml").display());
    let kept = stage.path("out/kept");
    let later = belljar(["run", &policy, "--", "cat", kept.to_str().unwrap()]);
    assert_eq!((later.status, later.out.as_str()), (0, "kept\n"), "{later:?}");
    fs::remove_file(&kept).unwrap();
    assert_eq!(belljar(["run", &policy, "--", "true"]).status, 0, "a rule for what is gone is none");
}

#[test]
fn a_program_saves_by_way_of_a_second_file_when_both_are_granted() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("save", &["once"; 9]);
    files(&stage, &["old", "text"]);
    let script = "cd /; perl -e 'open F, q(>), qq($ENV{DIR}/out/tmp) or die; print F qq(new\\n); close F; \
        rename qq($ENV{DIR}/out/tmp), qq($ENV{DIR}/out/old) or die $!' && cat $DIR/out/old; \
        sed -i s/text/changed/ $DIR/out/text && cat $DIR/out/text; test -e $DIR/out/tmp || echo moved";
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "new\nchanged\nmoved\n", "{seen:?}");
    let asked = asked(&stage);
    assert_eq!(asked[..3], ["create tmp", "write old", "read text"], "{asked:?}");
    assert!(asked[3].starts_with("create sed") && asked[4..] == ["write text"], "{asked:?}");
    assert_eq!(names(&stage), ["old", "text"]);
    assert_eq!(fs::read_to_string(stage.path("out/text")).unwrap(), "changed\n");
}

#[test]
fn nothing_is_moved_over_or_removed_that_was_not_granted() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("nosave", &["once", "never", "once", "never", "once"]);
    files(&stage, &["no", "mine", "victim"]);
    symlink(stage.path("out/victim"), stage.path("out/link")).unwrap();
    fs::create_dir(stage.path("out/sub")).unwrap();
    fs::set_permissions(stage.path("out/sub"), fs::Permissions::from_mode(0o777)).unwrap();
    let script = "cd $DIR/out 2>&-; cd /; o=$DIR/out; move() { perl -e 'rename $ARGV[0], $ARGV[1] or print $!+0, qq(\\n)' $1 $2; }
        echo new > $o/tmp; move $o/tmp $o/no; move $o/tmp $o/link; move $o/tmp $o/sub; move $o/tmp $o/../out/no
        echo x > /tmp/own; move /tmp/own $o/tmp; move $o/tmp /tmp/there
        echo y > $o/mine; perl -e 'print unlink($ARGV[0]), qq(\\n)' $o/mine; move $o/mine $o/victim
        perl -e 'print unlink($ARGV[0]), qq(\\n)' $o/tmp; echo z > $o/late; echo done";
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "2\n2\n2\n2\n18\n18\n0\n2\n1\ndone\n", "{seen:?}");
    assert_eq!(asked(&stage), ["create tmp", "write no", "write mine", "write victim", "create late"]);
    assert_eq!(names(&stage), ["late", "link", "mine", "no", "sub", "victim"]);
    for (name, text) in [("no", "no\n"), ("victim", "victim\n"), ("mine", "y\n")] {
        assert_eq!(fs::read_to_string(stage.path("out").join(name)).unwrap(), text, "{name}");
    }
}

#[test]
fn a_program_saves_by_a_second_name_when_both_are_granted() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("link", &["once", "once", "never", "once", "once"]);
    files(&stage, &["there"]);
    fs::create_dir_all(stage.path("out/.git/hooks")).unwrap();
    fs::set_permissions(stage.path("out/.git/hooks"), fs::Permissions::from_mode(0o777)).unwrap();
    symlink(stage.path("out/there"), stage.path("out/pointer")).unwrap();
    let script = "cd /; o=$DIR/out; name() { perl -e 'link $ARGV[0], $ARGV[1] or print $!+0, qq(\\n)' $1 $2; }
        echo new > $o/part; ln $o/part $o/new && rm $o/part && cat $o/new; name $o/new $o/no
        name $o/new $o/there; name $o/new $o/pointer; name $o/new $o/.git/hooks/post-commit; name $o/gone $o/other
        echo x > /tmp/own; name /tmp/own $o/own; name $o/new /tmp/new; name /tmp/own /tmp/twice; cat /tmp/twice";
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "new\n2\n17\n2\n2\n2\n18\n18\nx\n", "{seen:?}");
    assert_eq!(asked(&stage), ["create part", "create new", "create no", "write there"]);
    assert_eq!(names(&stage), [".git", "new", "pointer", "there"]);
    assert_eq!(fs::read_to_string(stage.path("out/there")).unwrap(), "there\n");
    assert_eq!(fs::read_dir(stage.path("out/.git/hooks")).unwrap().count(), 0);
}

#[test]
fn what_is_there_is_neither_overwritten_nor_followed_by_an_answer_to_making() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("overwrite", &["once"; 9]);
    open_folder(&stage);
    fs::write(stage.path("victim"), "precious\n").unwrap();
    for link in ["dangling", "link"] {
        let to = if link == "link" { stage.path("victim") } else { stage.path("out/made-through") };
        symlink(to, stage.path("out").join(link)).unwrap();
    }
    symlink(stage.path("out"), stage.path("way")).unwrap();
    let script = "cd /; for f in out/dangling out/link way/new out/../out/up; do echo evil > $DIR/$f; done 2>&-; \
        set -C; echo evil > $DIR/host/a 2>&-; echo done";
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "done\n", "{seen:?}");
    assert_eq!(fs::read_to_string(stage.path("victim")).unwrap(), "precious\n");
    assert_eq!(fs::read_to_string(stage.path("host/a")).unwrap(), "text of a\n");
    assert_eq!(fs::read_dir(stage.path("out")).unwrap().count(), 2, "only the links");
    let made = asked(&stage).into_iter().filter(|asked| asked.starts_with("create")).count();
    assert_eq!(made, 0, "nothing of this is a question about making");
}

#[test]
fn what_is_run_later_outside_is_never_made() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("later", &["always"; 9]);
    open_folder(&stage);
    fs::create_dir_all(stage.path("out/.git/hooks")).unwrap();
    fs::set_permissions(stage.path("out/.git/hooks"), fs::Permissions::from_mode(0o777)).unwrap();
    let script = "for f in out/.git/hooks/pre-commit out/.envrc; do echo evil > $DIR/$f; done 2>&-; echo evil > /etc/evil; \
        echo evil > /usr/bin/evil; echo done";
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "done\n", "{seen:?}");
    assert_eq!(asked(&stage), Vec::<String>::new());
    for path in ["out/.envrc", "out/.git/hooks/pre-commit"] {
        assert!(!stage.path(path).try_exists().unwrap(), "{path}");
    }
}

#[test]
fn what_may_be_read_is_a_question_when_it_is_to_be_written() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("more", &["once", "once", "never"]);
    open_folder(&stage);
    let read = format!("--read={}", stage.path("out").display());
    for name in ["old", "kept"] {
        fs::write(stage.path("out").join(name), "old\n").unwrap();
        fs::set_permissions(stage.path("out").join(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    let script = "cat $DIR/out/old; echo new > $DIR/out/old; cat $DIR/out/old; echo made > $DIR/out/made; \
        (echo x > $DIR/out/kept) 2>&1 | grep -c 'Read-only'; cat $DIR/out/kept";
    let seen = stage.run(&[&read], script);
    assert_eq!(seen.out, "old\nnew\n1\nold\n", "{seen:?}");
    assert_eq!(asked(&stage), ["write old", "create made", "write kept"]);
}

#[test]
fn a_program_is_granted_to_the_next_run_only() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("program", &["always", "never"]);
    for name in ["tool", "other"] {
        fs::write(stage.path("host").join(name), "#!/bin/sh\necho ran\n").unwrap();
        fs::set_permissions(stage.path("host").join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let script =
        "PATH=$PATH:$DIR/host; tool 2>&-; tool 2>&-; $DIR/host/tool 2>&-; test -x $DIR/host/other; echo $?";
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "1\n", "{seen:?}");
    let questions = stage.questions();
    let kinds: Vec<_> = questions.iter().map(|asked| (&asked["kind"], &asked["answers"])).collect();
    let (kind, answers) = (serde_json::json!("execute"), serde_json::json!(["always", "never"]));
    assert_eq!(kinds, [(&kind, &answers), (&kind, &answers)], "{questions:?}");
    let policy = format!("--policy={}", stage.path("mine.toml").display());
    let tool = stage.path("host/tool");
    let later = belljar(["run", &policy, "--", tool.to_str().unwrap()]);
    assert_eq!((later.status, later.out.as_str()), (0, "ran\n"), "{later:?}");
}

#[test]
fn no_name_of_a_new_file_steers_a_question_or_the_policy_file() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("names", &["always", "never", "never"]);
    open_folder(&stage);
    let script = "cd /; echo x > \"$DIR/out/$(printf 'a\\342\\200\\256gpj.exe')\"; \
        echo x > \"$DIR/out/$(printf 'b\\033[2Jc')\"; \
        echo x > \"$DIR/out/$(printf 'd\\n\"} = 1\\n[net]\\nmode = \"host\"')\"; echo done";
    let seen = stage.run(&[], script);
    assert!(seen.out.ends_with("done\n"), "{seen:?}");
    let questions = stage.questions();
    let objects: Vec<&str> = questions.iter().map(|asked| asked["object"].as_str().unwrap()).collect();
    assert_eq!(objects.len(), 3, "{questions:?}");
    for (object, part) in objects.iter().zip(["a\\u{202e}gpj.exe", "b\\u{1b}[2Jc", "d\\u{a}\\\"} = 1"]) {
        assert!(
            object.contains(part) && object.chars().all(|sign| (' '..='~').contains(&sign)),
            "{object:?}"
        );
    }
    let policy = stage.path("mine.toml");
    let text = fs::read_to_string(&policy).unwrap_or_default();
    assert!(!text.contains("[net]") && !text.contains("\u{202e}"), "{text}");
}

#[test]
fn an_answer_that_was_not_offered_ends_all_asking_and_the_run_goes_on() {
    if !is_ready() {
        return;
    }
    // "once" is none for a program.
    let stage = Stage::new("offered", &["once", "always", "always"]);
    open_folder(&stage);
    let tool = stage.path("host/tool");
    fs::write(&tool, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let script = "test -x $DIR/host/tool; cat $DIR/host/a 2>&-; (echo x > $DIR/out/new) 2>&-; cat /etc/hostname; echo on";
    let seen = stage.run(&[], script);
    assert!(seen.status == 0 && seen.out.ends_with("on\n"), "{seen:?}");
    assert_eq!(asked(&stage), ["execute tool"], "nothing is asked of whoever breaks the protocol");
    assert!(!stage.path("out/new").try_exists().unwrap() && !stage.path("mine.toml").try_exists().unwrap());
    assert!(!seen.out.contains("text of a"), "{seen:?}");
}

#[test]
fn a_flood_of_new_files_and_looks_is_refused_after_a_few_questions() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("flood", &["never"; 60]);
    open_folder(&stage);
    let script = "i=0; while [ $i -lt 60 ]; do (echo x > $DIR/out/$i) 2>&-; test -e $DIR/host/a; i=$((i+1)); done; echo done";
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "done\n", "{seen:?}");
    assert_eq!(asked(&stage).len(), 20);
    assert_eq!(fs::read_dir(stage.path("out")).unwrap().count(), 0);
}
