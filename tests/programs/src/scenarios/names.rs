//! Programs that reach a server by name: each finds `mirror.test` through the jar's own name service.

use crate::gpg::by_gpg_agent;
use crate::mirror::{by_agent, by_git, by_http, by_login, by_redirect, by_ssh};
use crate::scenario::{Argv, Check, File, ROW, Scenario};

const PAGE: &[File] = &[("site/page", b"a page of the mirror\n")];

const REPOSITORY: Argv = &[
    "sh",
    "-ec",
    "git init -q -b main site/repo; cd site/repo; git config user.name A; git config user.email a@example.org; \
     seq 20000 >numbers; git add .; git commit -q -m first; git update-server-info",
];

const URLLIB: &str = "import urllib.request\n\
    print(urllib.request.urlopen('http://{host}:{served}/page', timeout=20).read())\n";

const ASYNCIO: &str = "import asyncio\n\
    async def get():\n\
    \x20   reader, writer = await asyncio.open_connection('{host}', {served})\n\
    \x20   writer.write(b'GET /page HTTP/1.0\\r\\n\\r\\n')\n\
    \x20   return (await reader.read()).split(b'\\r\\n\\r\\n')[1]\n\
    async def main():\n\
    \x20   print(await asyncio.wait_for(asyncio.gather(*[get() for _ in range(20)]), 20))\n\
    asyncio.run(main())\n";

const REQUESTS: &str = "import requests\n\
    with requests.Session() as session:\n\
    \x20   print([session.get('http://{host}:{served}/page', timeout=20).text for _ in range(3)])\n";

const JAVA: &[u8] = b"import java.net.URI;\n\
    import java.net.http.*;\n\
    class Client {\n\
    \x20   public static void main(String[] args) throws Exception {\n\
    \x20       var request = HttpRequest.newBuilder(URI.create(args[0])).build();\n\
    \x20       var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());\n\
    \x20       System.out.print(answer.body());\n\
    \x20   }\n\
    }\n";

const FETCH: &str = "Promise.all(Array(10).fill('http://{host}:{served}/page').map(u => fetch(u).then(r => r.text())))\
    .then(texts => console.log(texts)).catch(error => { console.error(error); process.exit(1) })";

const GO: &[u8] = b"package main\n\
    import (\"bufio\"; \"fmt\"; \"net\"; \"os\")\n\
    func main() {\n\
    \x20 c, err := net.Dial(\"tcp\", os.Args[1])\n\
    \x20 if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }\n\
    \x20 fmt.Fprint(c, \"GET /page HTTP/1.0\\r\\n\\r\\n\")\n\
    \x20 line, err := bufio.NewReader(c).ReadString('\\n')\n\
    \x20 if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }\n\
    \x20 fmt.Print(line)\n\
    }\n";

const RUST: &[u8] = b"use std::io::{Read, Write};\n\
    fn main() -> std::io::Result<()> {\n\
    \x20   let to = std::env::args().nth(1).unwrap_or_default();\n\
    \x20   let mut socket = std::net::TcpStream::connect(to)?;\n\
    \x20   socket.write_all(b\"GET /page HTTP/1.0\\r\\n\\r\\n\")?;\n\
    \x20   let mut text = String::new();\n\
    \x20   socket.read_to_string(&mut text)?;\n\
    \x20   print!(\"{text}\");\n\
    \x20   Ok(())\n\
    }\n";

const MUSL: &[u8] = b"#include <netdb.h>\n\
    #include <stdio.h>\n\
    #include <string.h>\n\
    #include <sys/socket.h>\n\
    #include <unistd.h>\n\
    int main(int argc, char **argv) {\n\
    \x20   struct addrinfo wanted = { .ai_socktype = SOCK_STREAM }, *found;\n\
    \x20   int error = getaddrinfo(argv[1], argv[2], &wanted, &found);\n\
    \x20   if (error) { fprintf(stderr, \"%s\\n\", gai_strerror(error)); return 1; }\n\
    \x20   int s = socket(found->ai_family, SOCK_STREAM, 0);\n\
    \x20   if (connect(s, found->ai_addr, found->ai_addrlen)) { perror(\"connect\"); return 1; }\n\
    \x20   const char *ask = \"GET /page HTTP/1.0\\r\\n\\r\\n\";\n\
    \x20   char text[4096];\n\
    \x20   if (write(s, ask, strlen(ask)) < 0) return 1;\n\
    \x20   size_t all = 0;\n\
    \x20   for (ssize_t n; (n = read(s, text, sizeof text)) > 0;) all += fwrite(text, 1, n, stdout);\n\
    \x20   return all == 0;\n\
    }\n";

/// In a folder of its own that knows the public key and where the agent listens.
const SIGN: &str = "export GNUPGHOME=$(mktemp -d)\n\
    trap 'rm -r $GNUPGHOME' EXIT\n\
    ln -s {shared}/gnupg/S.gpg-agent $GNUPGHOME/S.gpg-agent\n\
    gpg --batch --quiet --import public\n\
    gpg --batch --quiet --yes --trust-model always --sign text && echo signed\n\
    gpg --batch --yes --output secret --export-secret-keys && test -s secret && echo exported\n\
    cat {shared}/gnupg/private-keys-v1.d/*.key >/dev/null && echo read\n";

/// A wheel of one module.
const WHEEL: &str = "import zipfile\n\
    info = 'demo-1.0.dist-info/'\n\
    with zipfile.ZipFile('site/demo-1.0-py3-none-any.whl', 'w') as wheel:\n\
    \x20   wheel.writestr('demo.py', 'print(\"demo of the mirror\")')\n\
    \x20   wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n')\n\
    \x20   wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
    \x20   wheel.writestr(info + 'RECORD', 'demo.py,,\\n')\n";

const NPM_PACKAGE: &[File] = &[
    ("package.json", b"{\"name\":\"user\",\"version\":\"1.0.0\"}"),
    ("package/package.json", b"{\"name\":\"left\",\"version\":\"1.0.0\"}"),
    ("package/index.js", b"module.exports = 'left of the mirror'"),
    (
        "site/left",
        b"{\"name\":\"left\",\"dist-tags\":{\"latest\":\"1.0.0\"},\"versions\":{\"1.0.0\":{\"name\":\"left\",\
          \"version\":\"1.0.0\",\"dist\":{\"tarball\":\"http://@HOST@/left-1.0.0.tgz\"}}}}",
    ),
];

/// A row with a page to fetch.
const FETCHES: Scenario = Scenario { files: PAGE, check: Check::Own(by_http), ..ROW };

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "name-curl",
        needs: &["curl"],
        command: &["curl", "-fsS", "--max-time", "20", "http://{host}:{served}/page"],
        ..FETCHES
    },
    Scenario {
        name: "name-curl-proxy",
        needs: &["curl"],
        flags: &["-w", "{work}", "--proxy"],
        command: &["curl", "-fsS", "--max-time", "20", "http://{host}:{served}/page"],
        ..FETCHES
    },
    Scenario {
        name: "name-curl-redirected",
        needs: &["curl"],
        command: &["curl", "-fsSL", "--max-time", "20", "http://{host}:{served}/page"],
        check: Check::Own(by_redirect),
        ..FETCHES
    },
    Scenario {
        name: "name-git-http",
        needs: &["git"],
        prepare: &[REPOSITORY],
        command: &[
            "sh",
            "-ec",
            "git clone -q http://{host}:{served}/repo/.git copy; git -C copy fsck; wc -l <copy/numbers",
        ],
        ..FETCHES
    },
    Scenario {
        name: "name-git-protocol",
        needs: &["git"],
        prepare: &[REPOSITORY],
        command: &[
            "sh",
            "-ec",
            "git clone -q git://{host}:{served}/repo copy; git -C copy fsck; wc -l <copy/numbers",
        ],
        check: Check::Own(by_git),
        ..FETCHES
    },
    Scenario {
        name: "name-ssh",
        needs: &["ssh-keyscan", "/usr/sbin/dropbear", "dropbearkey"],
        prepare: &[&[
            "sh",
            "-ec",
            "test -f {shared}/key || dropbearkey -t ed25519 -f {shared}/key; mkdir site; cp {shared}/key site/key",
        ]],
        command: &["sh", "-c", "ssh-keyscan -T 20 -t ed25519 -p {served} {host} | grep -o 'ssh-ed25519 .*'"],
        check: Check::Own(by_ssh),
        ..ROW
    },
    Scenario {
        name: "name-ssh-login",
        needs: &["@root", "ssh", "/usr/sbin/dropbear", "dropbearkey", "unshare"],
        prepare: &[&[
            "sh",
            "-ec",
            "test -f {shared}/key || dropbearkey -t ed25519 -f {shared}/key; mkdir -p site/home/.ssh; cp {shared}/key site/key; \
             ssh-keygen -q -t ed25519 -N '' -f id; cp id.pub site/home/.ssh/authorized_keys; chmod 700 site/home site/home/.ssh; \
             chmod 600 site/home/.ssh/authorized_keys",
        ]],
        command: &[
            "ssh",
            "-p",
            "{served}",
            "-i",
            "id",
            "-oBatchMode=yes",
            "-oStrictHostKeyChecking=no",
            "-oUserKnownHostsFile=/dev/null",
            "-oLogLevel=ERROR",
            "root@{host}",
            "echo said over ssh; true",
        ],
        check: Check::Own(by_login),
        ..ROW
    },
    Scenario {
        name: "name-ssh-agent",
        needs: &["@account", "ssh-agent", "ssh-add", "ssh-keygen"],
        prepare: &[&["sh", "-ec", "ssh-keygen -q -t ed25519 -N '' -C demo -f id"]],
        flags: &["-w", "{work}", "--socket", "ssh-agent"],
        env: &[("SSH_AUTH_SOCK", "{shared}/agent")],
        command: &[
            "sh",
            "-c",
            "test -S $SSH_AUTH_SOCK && ssh-add -l | cut -d' ' -f1,3- && ssh-add -T id.pub",
        ],
        check: Check::Own(by_agent),
        ..ROW
    },
    Scenario {
        name: "name-gpg-agent",
        needs: &["gpg", "gpg-agent", "gpgconf"],
        files: &[("text", b"said by the jar\n")],
        prepare: &[&["sh", "-ec", "rm -rf {shared}/gnupg; mkdir -m 700 {shared}/gnupg"]],
        flags: &["-w", "{work}", "--socket", "gpg-agent"],
        env: &[("GNUPGHOME", "{shared}/gnupg")],
        command: &["sh", "-c", SIGN],
        check: Check::Own(by_gpg_agent),
        ..ROW
    },
    Scenario {
        name: "name-pip",
        needs: &["/usr/bin/python3"],
        files: &[
            ("wheel.py", WHEEL.as_bytes()),
            (
                "site/simple/demo/index.html",
                b"<a href=\"/demo-1.0-py3-none-any.whl\">demo-1.0-py3-none-any.whl</a>",
            ),
        ],
        prepare: &[&["/usr/bin/python3", "wheel.py"]],
        command: &[
            "sh",
            "-ec",
            "/usr/bin/python3 -m pip install -q --disable-pip-version-check --no-cache-dir --no-deps --retries 0 --target out \
             --index-url http://{host}:{served}/simple/ --trusted-host {host} demo; PYTHONPATH=out /usr/bin/python3 -m demo",
        ],
        ..FETCHES
    },
    Scenario {
        name: "name-npm",
        needs: &["node", "npm", "tar"],
        files: NPM_PACKAGE,
        prepare: &[&["tar", "-czf", "site/left-1.0.0.tgz", "package"]],
        command: &[
            "sh",
            "-ec",
            "npm install --cache .npm --no-update-notifier --no-audit --no-fund --silent --fetch-retries 0 \
             --registry http://{host}:{served}/ left; node -p \"require('left')\"",
        ],
        ..FETCHES
    },
    Scenario {
        name: "name-python-urllib",
        needs: &["/usr/bin/python3"],
        command: &["/usr/bin/python3", "-c", URLLIB],
        ..FETCHES
    },
    Scenario {
        name: "name-python-asyncio",
        needs: &["/usr/bin/python3"],
        command: &["/usr/bin/python3", "-c", ASYNCIO],
        ..FETCHES
    },
    Scenario {
        name: "name-python-requests",
        needs: &["/usr/bin/python3"],
        command: &["/usr/bin/python3", "-c", REQUESTS],
        ..FETCHES
    },
    Scenario {
        name: "name-java",
        needs: &["java", "javac"],
        files: &[PAGE[0], ("Client.java", JAVA)],
        command: &["java", "-XX:+UseSerialGC", "Client.java", "http://{host}:{served}/page"],
        ..FETCHES
    },
    Scenario { name: "name-node-fetch", needs: &["node"], command: &["node", "-e", FETCH], ..FETCHES },
    Scenario {
        name: "name-go-own-resolver",
        needs: &["go", "gcc"],
        files: &[PAGE[0], ("client.go", GO)],
        env: &[("GO111MODULE", "off"), ("GOCACHE", "{shared}/go"), ("GODEBUG", "netdns=go")],
        flags: &["-w", "{work}", "-e", "GODEBUG"],
        prepare: &[&["go", "build", "-o", "client", "client.go"]],
        command: &["./client", "{host}:{served}"],
        ..FETCHES
    },
    Scenario {
        name: "name-musl",
        needs: &["musl-gcc"],
        files: &[PAGE[0], ("client.c", MUSL)],
        prepare: &[&["musl-gcc", "-static", "-O1", "-o", "client", "client.c"]],
        command: &["./client", "{host}", "{served}"],
        ..FETCHES
    },
    Scenario {
        name: "name-rust",
        needs: &["/usr/bin/rustc", "gcc"],
        files: &[PAGE[0], ("client.rs", RUST)],
        prepare: &[&["/usr/bin/rustc", "-o", "client", "client.rs"]],
        command: &["./client", "{host}:{served}"],
        ..FETCHES
    },
    Scenario {
        name: "name-no-listener",
        needs: &["curl"],
        flags: &["-w", "{work}", "-n", "mirror.test:{port}", "--host", "mirror.test=127.0.0.1"],
        command: &["curl", "-s", "--max-time", "2", "http://127.0.0.1:{port}/"],
        check: Check::NoListener,
        ..ROW
    },
];
