//! CPython and pip. The distribution's interpreter by its path: the first `python3` of a developer's path may be a version
//! manager's script.

use crate::scenario::{Check, ROW, Scenario};

const PYTHON: &[&str] = &["/usr/bin/python3"];

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "python-ssl",
        needs: &["/usr/bin/python3", "openssl"],
        files: &[("ssl_pair.py", include_bytes!("../../fixtures/python/ssl_pair.py"))],
        prepare: &[&[
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-days",
            "2",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ]],
        command: &["/usr/bin/python3", "ssl_pair.py"],
        ..ROW
    },
    Scenario {
        name: "python-sqlite3",
        needs: PYTHON,
        files: &[("sqlite.py", include_bytes!("../../fixtures/python/sqlite.py"))],
        command: &["/usr/bin/python3", "sqlite.py"],
        ..ROW
    },
    Scenario {
        name: "python-threads",
        needs: PYTHON,
        files: &[("threads.py", include_bytes!("../../fixtures/python/threads.py"))],
        command: &["/usr/bin/python3", "threads.py"],
        ..ROW
    },
    Scenario {
        name: "python-multiprocessing",
        needs: PYTHON,
        files: &[("pool.py", include_bytes!("../../fixtures/python/pool.py"))],
        command: &["/usr/bin/python3", "pool.py"],
        ..ROW
    },
    Scenario {
        name: "python-subprocess",
        needs: PYTHON,
        files: &[("children.py", include_bytes!("../../fixtures/python/children.py"))],
        command: &["/usr/bin/python3", "children.py"],
        ..ROW
    },
    Scenario {
        name: "python-asyncio",
        needs: PYTHON,
        files: &[("loop.py", include_bytes!("../../fixtures/python/loop.py"))],
        command: &["/usr/bin/python3", "loop.py"],
        ..ROW
    },
    Scenario {
        name: "python-unix-sockets",
        needs: PYTHON,
        files: &[("unix.py", include_bytes!("../../fixtures/python/unix.py"))],
        flags: &["-w", "{work}", "--allow-syscall", "@socket-unix"],
        command: &["/usr/bin/python3", "unix.py"],
        ..ROW
    },
    Scenario {
        name: "python-tempfile",
        needs: PYTHON,
        files: &[("temporary.py", include_bytes!("../../fixtures/python/temporary.py"))],
        command: &["/usr/bin/python3", "temporary.py"],
        ..ROW
    },
    Scenario {
        name: "python-script-read-only",
        needs: PYTHON,
        files: &[("hello.py", b"import sys, json; print(json.dumps(sys.argv[1:]), sys.flags.isolated)\n")],
        flags: &[],
        command: &["/usr/bin/python3", "hello.py", "a b", ""],
        ..ROW
    },
    Scenario {
        name: "pip-install-wheel",
        needs: &["/usr/bin/python3", "/usr/bin/pip3"],
        files: &[("wheel.py", include_bytes!("../../fixtures/python/wheel.py"))],
        prepare: &[&["/usr/bin/python3", "wheel.py"]],
        command: &[
            "sh",
            "-c",
            "/usr/bin/python3 -m pip --disable-pip-version-check --no-cache-dir install -q --no-index --root-user-action=ignore \
             --target site jarred-1.0-py3-none-any.whl && PYTHONPATH=site /usr/bin/python3 -m jarred && ls site",
        ],
        results: &["site/jarred/__main__.py", "site/jarred-1.0.dist-info/RECORD"],
        ..ROW
    },
    Scenario {
        name: "python-venv",
        needs: PYTHON,
        command: &[
            "sh",
            "-c",
            "/usr/bin/python3 -m venv --without-pip env && env/bin/python -c 'import sys; print(sys.prefix)'",
        ],
        results: &["env/pyvenv.cfg"],
        ..ROW
    },
    Scenario {
        name: "python-no-secret",
        needs: PYTHON,
        command: &["/usr/bin/python3", "-c", "print(open('{secret}').read())"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "python-no-listener",
        needs: PYTHON,
        command: &[
            "/usr/bin/python3",
            "-c",
            "import socket; socket.create_connection(('127.0.0.1', {port}), 3).send(b'hi')",
        ],
        check: Check::NoListener,
        ..ROW
    },
    Scenario {
        name: "python-no-write",
        needs: PYTHON,
        command: &[
            "/usr/bin/python3",
            "-c",
            "import os; os.chmod('{victim}', 0o666); open('{victim}', 'w').write('changed')",
        ],
        check: Check::NoWrite,
        ..ROW
    },
];
