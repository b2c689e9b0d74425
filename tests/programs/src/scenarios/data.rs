//! sqlite3, perl, vim in ex mode, awk.

use crate::scenario::{Check, ROW, Scenario};

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "sqlite3-shell",
        needs: &["sqlite3"],
        command: &["sqlite3", "base.db"],
        stdin: b"create table t(a, b);\nbegin; insert into t values (1, 'x'), (2, 'y'); commit;\n.mode json\nselect * from t;\n\
            pragma integrity_check;\n.backup copy.db\n",
        results: &["copy.db"],
        ..ROW
    },
    Scenario {
        name: "perl",
        needs: &["perl"],
        command: &[
            "perl",
            "-MPOSIX=floor",
            "-MFile::Temp=tempfile",
            "-MDigest::SHA=sha256_hex",
            "-MIPC::Open3",
            "-e",
            "my ($f, $n) = tempfile(); print $f sha256_hex('x'), qq(\\n); close $f; system('cat', $n); my $p = fork // die; \
             if (!$p) { exit 6 } waitpid $p, 0; print $? >> 8, ' ', floor(2.7), qq(\\n); local $SIG{ALRM} = sub { print qq(alarm\\n) }; \
             alarm 1; select undef, undef, undef, 5; print join(',', sort { $a <=> $b } 10, 9, 8), qq(\\n)",
        ],
        ..ROW
    },
    Scenario {
        name: "vim-ex",
        needs: &["vim"],
        files: &[("text", b"one foo\ntwo foo\nthree\n")],
        command: &["vim", "-u", "NONE", "-i", "NONE", "-es", "-c", "%s/foo/bar/g", "-c", "$d", "-c", "r !echo from the shell", "-c", "wq", "text"],
        results: &["text"],
        ..ROW
    },
    Scenario {
        name: "vim-no-secret",
        needs: &["vim"],
        command: &["vim", "-u", "NONE", "-i", "NONE", "-es", "-c", "r {secret}", "-c", "w stolen", "-c", "q!"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "perl-no-listener",
        needs: &["perl"],
        command: &["perl", "-MIO::Socket::INET", "-e", "IO::Socket::INET->new('127.0.0.1:{port}')->print('hi')"],
        check: Check::NoListener,
        ..ROW
    },
    Scenario {
        name: "sqlite3-no-write",
        needs: &["sqlite3"],
        command: &["sqlite3", ":memory:", "-cmd", ".output {victim}", "select 'changed';"],
        check: Check::NoWrite,
        ..ROW
    },
];
