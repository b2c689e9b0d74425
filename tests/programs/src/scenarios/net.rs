//! Network inside the jar: a server and a client on the jar's own loopback.

use crate::scenario::{Check, ROW, Scenario};

const SERVE_AND_CURL: &str = "import http.server, subprocess, threading\n\
    http.server.SimpleHTTPRequestHandler.log_message = lambda *_: None\n\
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n\
    threading.Thread(target=server.serve_forever, daemon=True).start()\n\
    url = f'http://127.0.0.1:{server.server_port}/page'\n\
    print(subprocess.run(['curl', '-fsS', '--max-time', '20', url, '-o', 'fetched']).returncode)\n\
    print(subprocess.run(['curl', '-s', '--max-time', '20', '-o', '/dev/null', '-w', '%{http_code}', url + 'x'], capture_output=True).stdout)\n\
    server.shutdown()\n";

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "curl-server-in-jar",
        needs: &["/usr/bin/python3", "curl"],
        files: &[("page", b"a page of the jar\n"), ("serve.py", SERVE_AND_CURL.as_bytes())],
        command: &["/usr/bin/python3", "-W", "ignore", "serve.py"],
        results: &["fetched"],
        ..ROW
    },
    Scenario {
        name: "curl-no-listener",
        needs: &["curl"],
        command: &["curl", "-s", "--max-time", "2", "http://127.0.0.1:{port}/"],
        check: Check::NoListener,
        ..ROW
    },
    Scenario {
        name: "curl-no-listener-mode-none",
        needs: &["curl"],
        flags: &["-w", "{work}", "-n", "none"],
        command: &["curl", "-s", "--max-time", "2", "http://localhost:{port}/"],
        check: Check::NoListener,
        ..ROW
    },
    Scenario {
        name: "curl-no-secret",
        needs: &["curl"],
        command: &["curl", "-s", "file://{secret}"],
        check: Check::NoSecret,
        ..ROW
    },
];
