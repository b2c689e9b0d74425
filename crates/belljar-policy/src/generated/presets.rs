//! Generated from `presets/*.toml` by `cargo xtask generate`; a test fails when it is stale.

use crate::keys::KEYS;
use crate::presets::{Lit, Ready, Row};

#[rustfmt::skip]
pub(crate) const ROWS: &[Ready] = &[
    // @base
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/usr"), line: 5 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/bin"), line: 6 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/sbin"), line: 7 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib"), line: 8 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib32"), line: 9 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib64"), line: 10 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/libx32"), line: 11 }, // fs.read
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ld.so.cache"), line: 12 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ld.so.conf"), line: 13 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ld.so.conf.d"), line: 14 }, // fs.read-noexec
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/etc/alternatives"), line: 15 }, // fs.read
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/localtime"), line: 16 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/timezone"), line: 17 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/nsswitch.conf"), line: 18 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/passwd"), line: 19 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/group"), line: 20 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/hosts"), line: 21 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/host.conf"), line: 22 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/resolv.conf"), line: 23 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/gai.conf"), line: 24 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/services"), line: 25 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/protocols"), line: 26 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/mime.types"), line: 27 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/os-release"), line: 28 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/locale.alias"), line: 29 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ssl/openssl.cnf"), line: 30 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ssl/certs"), line: 31 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/pki/tls/certs"), line: 32 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/pki/ca-trust"), line: 33 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/ca-certificates"), line: 34 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/crypto-policies"), line: 35 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/fonts"), line: 36 }, // fs.read-noexec
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/nix/store"), line: 38 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/gnu/store"), line: 39 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/etc/static"), line: 40 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/run/current-system"), line: 41 }, // fs.read
        Row { key: &KEYS[18], name: None, value: Lit::Text("@default"), line: 44 }, // syscalls.allow
    ] },
    // @strict
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/usr"), line: 6 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/bin"), line: 7 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/sbin"), line: 8 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib"), line: 9 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib32"), line: 10 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/lib64"), line: 11 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/libx32"), line: 12 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/nix/store"), line: 14 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/gnu/store"), line: 15 }, // fs.read
        Row { key: &KEYS[2], name: None, value: Lit::Text("?/run/current-system"), line: 16 }, // fs.read
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc"), line: 18 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/localtime"), line: 20 }, // fs.read-noexec
        Row { key: &KEYS[3], name: None, value: Lit::Text("?/etc/resolv.conf"), line: 21 }, // fs.read-noexec
        Row { key: &KEYS[6], name: None, value: Lit::Text("?/etc/shadow"), line: 23 }, // fs.hide
        Row { key: &KEYS[6], name: None, value: Lit::Text("?/etc/gshadow"), line: 24 }, // fs.hide
        Row { key: &KEYS[6], name: None, value: Lit::Text("?/etc/ssl/private"), line: 25 }, // fs.hide
        Row { key: &KEYS[6], name: None, value: Lit::Text("?/etc/machine-id"), line: 27 }, // fs.hide
        Row { key: &KEYS[2], name: None, value: Lit::Text("."), line: 28 }, // fs.read
        Row { key: &KEYS[10], name: None, value: Lit::Text("256M"), line: 29 }, // fs.tmp
        Row { key: &KEYS[11], name: None, value: Lit::Text("own"), line: 30 }, // fs.proc
        Row { key: &KEYS[12], name: None, value: Lit::Text("basic"), line: 31 }, // fs.dev
        Row { key: &KEYS[13], name: None, value: Lit::Text("none"), line: 34 }, // net.mode
        Row { key: &KEYS[16], name: None, value: Lit::Text("PATH"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("HOME"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("USER"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("LOGNAME"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("SHELL"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("LANG"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("LANGUAGE"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("LC_*"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("TERM"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("COLORTERM"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("NO_COLOR"), line: 38 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("TZ"), line: 38 }, // env.pass
        Row { key: &KEYS[18], name: None, value: Lit::Text("@default"), line: 41 }, // syscalls.allow
    ] },
    // @filter
    Ready { extends: &[], rows: &[
        Row { key: &KEYS[2], name: None, value: Lit::Text("@program"), line: 5 }, // fs.read
        Row { key: &KEYS[13], name: None, value: Lit::Text("off"), line: 8 }, // net.mode
        Row { key: &KEYS[16], name: None, value: Lit::Text("LANG"), line: 11 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("LC_*"), line: 11 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("TZ"), line: 11 }, // env.pass
        Row { key: &KEYS[18], name: None, value: Lit::Text("@filter"), line: 14 }, // syscalls.allow
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
        Row { key: &KEYS[16], name: None, value: Lit::Text("CARGO_HOME"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CARGO_TARGET_DIR"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CARGO_TERM_COLOR"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CARGO_NET_OFFLINE"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CARGO_INCREMENTAL"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("RUSTUP_HOME"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("RUSTUP_TOOLCHAIN"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("RUSTFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("RUST_BACKTRACE"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("RUST_LOG"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CC"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CXX"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CXXFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("LDFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("MAKEFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("GOPATH"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("GOFLAGS"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("NODE_ENV"), line: 27 }, // env.pass
        Row { key: &KEYS[16], name: None, value: Lit::Text("CI"), line: 27 }, // env.pass
    ] },
    // @dev
    Ready { extends: &["@strict", "@tools"], rows: &[
        Row { key: &KEYS[4], name: None, value: Lit::Text("."), line: 6 }, // fs.write
        Row { key: &KEYS[10], name: None, value: Lit::Text("2G"), line: 7 }, // fs.tmp
    ] },
];
