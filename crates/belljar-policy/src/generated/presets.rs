//! Generated from `presets/*.toml` by `cargo xtask generate`; a test fails when it is stale.

use crate::keys::KEYS;
use crate::presets::{Lit, Ready, Row};

#[rustfmt::skip]
pub(crate) const ROWS: &[Ready] = &[
    // @system
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/usr"), line: 5 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/bin"), line: 6 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/sbin"), line: 7 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib"), line: 8 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib64"), line: 9 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/nix/store"), line: 11 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/gnu/store"), line: 12 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/run/current-system"), line: 13 }, // fs.read
        Row { key: &KEYS[25], name: None, value: Lit::Text("@default"), line: 16 }, // syscalls.allow
    ] },
    // @base
    Ready { extends: &["@system"], rows: &[
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ld.so.cache"), line: 6 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ld.so.conf"), line: 7 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ld.so.conf.d"), line: 8 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/alternatives"), line: 9 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/localtime"), line: 10 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/nsswitch.conf"), line: 11 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/passwd"), line: 12 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/group"), line: 13 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/hosts"), line: 14 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/host.conf"), line: 15 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/resolv.conf"), line: 16 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/services"), line: 17 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/protocols"), line: 18 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/os-release"), line: 19 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ssl/openssl.cnf"), line: 20 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ssl/certs"), line: 21 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ca-certificates"), line: 22 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/pki/tls/certs"), line: 23 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/pki/ca-trust"), line: 24 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/crypto-policies"), line: 25 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/static"), line: 26 }, // fs.read-noexec
    ] },
    // @strict
    Ready { extends: &["@system"], rows: &[
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc"), line: 8 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/resolv.conf"), line: 10 }, // fs.read-noexec
        Row { key: &KEYS[6], name: None, value: Lit::Text("?/etc/shadow"), line: 12 }, // fs.hide
        Row { key: &KEYS[6], name: None, value: Lit::Text("?/etc/machine-id"), line: 14 }, // fs.hide
        Row { key: &KEYS[2], name: None, value: Lit::Text("."), line: 15 }, // fs.read
        Row { key: &KEYS[11], name: None, value: Lit::Text("256M"), line: 16 }, // fs.tmp
        Row { key: &KEYS[13], name: None, value: Lit::Text("own"), line: 17 }, // fs.proc
        Row { key: &KEYS[14], name: None, value: Lit::Text("basic"), line: 18 }, // fs.dev
        Row { key: &KEYS[15], name: None, value: Lit::Text("none"), line: 21 }, // net.mode
        Row { key: &KEYS[23], name: None, value: Lit::Text("PATH"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("HOME"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("USER"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LOGNAME"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("SHELL"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LANG"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LANGUAGE"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LC_*"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("TERM"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("COLORTERM"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("NO_COLOR"), line: 25 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("TZ"), line: 25 }, // env.pass
    ] },
    // @filter
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[2], name: None, value: Lit::Text("@program"), line: 5 }, // fs.read
        Row { key: &KEYS[15], name: None, value: Lit::Text("off"), line: 8 }, // net.mode
        Row { key: &KEYS[23], name: None, value: Lit::Text("LANG"), line: 11 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LC_*"), line: 11 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("TZ"), line: 11 }, // env.pass
        Row { key: &KEYS[25], name: None, value: Lit::Text("@filter"), line: 14 }, // syscalls.allow
    ] },
    // @low-integrity
    Ready { extends: &["@strict"], rows: &[
        Row { key: &KEYS[4], name: None, value: Lit::Text("~/.local/share/belljar/low"), line: 7 }, // fs.write
    ] },
    // @tools
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.cargo"), line: 5 }, // fs.read
        Row { key: &KEYS[6], name: None, value: Lit::Text("?~/.cargo/credentials"), line: 6 }, // fs.hide
        Row { key: &KEYS[6], name: None, value: Lit::Text("?~/.cargo/credentials.toml"), line: 7 }, // fs.hide
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.rustup"), line: 8 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.npm"), line: 9 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.nvm"), line: 10 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.pyenv"), line: 11 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.rbenv"), line: 12 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.sdkman"), line: 13 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.asdf"), line: 14 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.local/bin"), line: 15 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.local/lib"), line: 16 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.local/share/mise"), line: 17 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.local/share/uv"), line: 18 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/go"), line: 19 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?~/.cache"), line: 20 }, // fs.read
        Row { key: &KEYS[3], name: None, value: Lit::Text("?~/.gitconfig"), line: 21 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?~/.config/git"), line: 22 }, // fs.read-noexec
        Row { key: &KEYS[6], name: None, value: Lit::Text("?~/.config/git/credentials"), line: 23 }, // fs.hide
        Row { key: &KEYS[23], name: None, value: Lit::Text("CARGO_HOME"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CARGO_TARGET_DIR"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CARGO_TERM_COLOR"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CARGO_NET_OFFLINE"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CARGO_INCREMENTAL"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("RUSTUP_HOME"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("RUSTUP_TOOLCHAIN"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("RUSTFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("RUST_BACKTRACE"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("RUST_LOG"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CC"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CXX"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CXXFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LDFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("MAKEFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("GOPATH"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("GOFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("NODE_ENV"), line: 27 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("CI"), line: 27 }, // env.pass
    ] },
    // @dev
    Ready { extends: &["@strict", "@tools"], rows: &[
        Row { key: &KEYS[4], name: None, value: Lit::Text("."), line: 6 }, // fs.write
        Row { key: &KEYS[11], name: None, value: Lit::Text("2G"), line: 7 }, // fs.tmp
    ] },
    // @viewer
    Ready { extends: &["@base"], rows: &[
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/fonts"), line: 9 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/var/cache/fontconfig"), line: 10 }, // fs.read-noexec
        Row { key: &KEYS[11], name: None, value: Lit::Text("64M"), line: 11 }, // fs.tmp
        Row { key: &KEYS[13], name: None, value: Lit::Text("own"), line: 12 }, // fs.proc
        Row { key: &KEYS[14], name: None, value: Lit::Text("basic"), line: 13 }, // fs.dev
        Row { key: &KEYS[15], name: None, value: Lit::Text("off"), line: 16 }, // net.mode
        Row { key: &KEYS[23], name: None, value: Lit::Text("PATH"), line: 19 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LANG"), line: 19 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LANGUAGE"), line: 19 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("LC_*"), line: 19 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("TERM"), line: 19 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("COLORTERM"), line: 19 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("NO_COLOR"), line: 19 }, // env.pass
        Row { key: &KEYS[23], name: None, value: Lit::Text("TZ"), line: 19 }, // env.pass
        Row { key: &KEYS[30], name: None, value: Lit::Int(64), line: 22 }, // limits.pids
    ] },
    // @preauth
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[15], name: None, value: Lit::Text("off"), line: 6 }, // net.mode
        Row { key: &KEYS[25], name: None, value: Lit::Text("@preauth"), line: 9 }, // syscalls.allow
        Row { key: &KEYS[28], name: None, value: Lit::Text("kill"), line: 10 }, // syscalls.otherwise
        Row { key: &KEYS[34], name: None, value: Lit::Int(0), line: 13 }, // limits.fsize
        Row { key: &KEYS[33], name: None, value: Lit::Int(1), line: 15 }, // limits.files
        Row { key: &KEYS[30], name: None, value: Lit::Int(1), line: 17 }, // limits.pids
    ] },
    // @decoder
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[15], name: None, value: Lit::Text("off"), line: 5 }, // net.mode
        Row { key: &KEYS[25], name: None, value: Lit::Text("@decoder"), line: 8 }, // syscalls.allow
        Row { key: &KEYS[28], name: None, value: Lit::Text("kill"), line: 9 }, // syscalls.otherwise
        Row { key: &KEYS[30], name: None, value: Lit::Int(1), line: 12 }, // limits.pids
    ] },
    // @renderer
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[15], name: None, value: Lit::Text("off"), line: 5 }, // net.mode
        Row { key: &KEYS[25], name: None, value: Lit::Text("@renderer"), line: 8 }, // syscalls.allow
        Row { key: &KEYS[28], name: None, value: Lit::Text("kill"), line: 9 }, // syscalls.otherwise
    ] },
];
