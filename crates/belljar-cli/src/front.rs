//! What can be typed besides the policy's own flags: subcommands and the options that belong to the command line itself.

use crate::commands;
use crate::subcommand::{Operand, Sub};

/// Switches of the command line that the policy crate's table of options does not have.
pub(crate) const SWITCHES: &[(&str, &str)] = &[
    ("origin", "Say after each rule where it was written"),
    ("image", "The files are pictures: PNG, JPEG, WebP, GIF or TIFF"),
    ("overwrite", "Replace files that are there already"),
];

/// Every subcommand, in the order of the help text.
pub const SUBCOMMANDS: &[Sub] = &[
    Sub {
        name: "run",
        about: "run a command in a jar",
        long: "Runs COMMAND with what the policy grants and nothing else. Without options: the system\n\
               and the current folder are read-only (the current folder not when it is / or the home\n\
               folder), /tmp is private, there is no network and the environment is clean. Options end\n\
               at --; nothing after it is read as an option.",
        rest: "-- COMMAND...",
        operand: Operand::Command,
        policy: true,
        options: &["report", "events", "explain", "ask", "ask-save", "verbose", "quiet", "engine"],
        subs: &[],
        example: "belljar run -w . -- make",
        run: commands::run::run,
    },
    Sub {
        name: "shell",
        about: "open a shell in a jar",
        long: "Runs the caller's shell ($SHELL, else /bin/sh) in a jar with the same options as run.",
        rest: "",
        operand: Operand::None,
        policy: true,
        options: &["report", "events", "explain", "ask", "ask-save", "verbose", "quiet", "engine"],
        subs: &[],
        example: "belljar shell -w .",
        run: commands::run::shell,
    },
    Sub {
        name: "filter",
        about: "run a command that has its standard descriptors and nothing else",
        long: "Runs COMMAND as run -p @filter does: it reads standard input, writes standard output and\n\
               error, and sees its own file and libraries. It opens nothing else, starts nothing, and has\n\
               no network. Options add to that.",
        rest: "-- COMMAND...",
        operand: Operand::Command,
        policy: true,
        options: &["report", "events", "verbose", "quiet", "engine"],
        subs: &[],
        example: "belljar filter -- gzip -d < in.gz > out",
        run: commands::run::filter,
    },
    Sub {
        name: "learn",
        about: "run a command in a jar and say which rules it lacked",
        long: "Runs COMMAND as run does, and prints what has to be added to the policy, as flags and as a\n\
               policy file. What is written to the current folder and to other folders of yours that may\n\
               be read goes to memory and is dropped; what the policy does not grant stays refused, or with\n\
               --ask is granted by an answer. Hosts and system calls are learned too, for review. Keys,\n\
               passwords and places that are run outside the jar later are listed and never proposed.",
        rest: "-- COMMAND...",
        operand: Operand::Command,
        policy: true,
        options: &["save", "ask", "report", "events", "verbose", "quiet", "engine"],
        subs: &[],
        example: "belljar learn -- make",
        run: commands::learn::learn,
    },
    Sub {
        name: "decode",
        about: "decode pictures that nobody trusts, each in a worker of its own",
        long: "Writes each picture FILE (PNG, JPEG, WebP, GIF, TIFF) as DIR/FILE.png, with --thumbnail not\n\
               larger than that. A worker sees the bytes of one picture and nothing else, and is gone when\n\
               it has decoded it; what it answers is checked, and written by its parent. Files that are\n\
               there stay, unless --overwrite. Exit status 0 when all were decoded, 1 when some could not\n\
               be, 125 when none was tried. It is done by the program belljar-decode, which lies beside\n\
               belljar.",
        rest: "FILE...",
        operand: Operand::Words,
        policy: false,
        options: &["image", "out", "thumbnail", "jobs", "overwrite", "quiet"],
        subs: &[],
        example: "belljar decode --image --out thumbnails --thumbnail 256 in/*.jpg",
        run: commands::decode::decode,
    },
    Sub {
        name: "plan",
        about: "say how this host would enforce a policy; run nothing",
        long: "Prints each rule with its origin and the layers that enforce it here, and what this host\n\
               cannot enforce.",
        rest: "-- COMMAND...",
        operand: Operand::Command,
        policy: true,
        options: &["json"],
        subs: &[],
        example: "belljar plan -w . -- make",
        run: commands::plan::plan,
    },
    Sub {
        name: "why",
        about: "say whether something is allowed, by which rule, and which flag would allow it",
        long: "OBJECT is a path (with a / or a leading . or ~), a HOST[:PORT], a VARIABLE or the name of a\n\
               system call. The answer comes from the policy and this host as it is (symlinks, what\n\
               its kernel lacks); nothing is run. With --report it comes from the report of a run: what was refused there, without OBJECT all of it. With\n\
               --promise it says which promise a call takes. A refused path or host is said to be asked about\n\
               or not under --ask. Exit status 0 when allowed, 1 when denied.",
        rest: "[OBJECT]",
        operand: Operand::OptionalWord,
        policy: true,
        options: &["report", "json"],
        subs: &[],
        example: "belljar why ~/.ssh/id_ed25519",
        run: commands::why::why,
    },
    Sub {
        name: "explain",
        about: "explain a policy key, or list all of them",
        long: "KEY is a key of the policy file (net.mode, limits.memory), its flag (read, -m), a preset\n\
               (@strict) or a group of system calls (@default). A section (limits), presets and groups\n\
               list what there is.",
        rest: "[KEY]",
        operand: Operand::OptionalWord,
        policy: false,
        options: &["json"],
        subs: &[],
        example: "belljar explain limits.memory",
        run: commands::explain::explain,
    },
    Sub {
        name: "doctor",
        about: "try what belljar needs from this host",
        long: "Does the real operations, and ones that must fail, and names at most one remedy for each\n\
               finding. Nothing is changed. Exit status 0 when jars can be made here, 1 otherwise.",
        rest: "",
        operand: Operand::None,
        policy: false,
        options: &["json"],
        subs: &[],
        example: "belljar doctor",
        run: commands::doctor::doctor,
    },
    Sub {
        name: "policy",
        about: "check and show policies",
        long: "Works on policy files without running anything.",
        rest: "",
        operand: Operand::None,
        policy: false,
        options: &[],
        subs: POLICY,
        example: "belljar policy check belljar.toml",
        run: commands::policy::list,
    },
];

const POLICY: &[Sub] = &[
    Sub {
        name: "check",
        about: "read a policy file strictly",
        long: "Exit status 0 when the file is a policy; otherwise 125 with line, place and remedy of\n\
               the first mistake.",
        rest: "FILE",
        operand: Operand::Word,
        policy: false,
        options: &[],
        subs: &[],
        example: "belljar policy check belljar.toml",
        run: commands::policy::check,
    },
    Sub {
        name: "show",
        about: "show the policy that the options make",
        long: "Prints the merged policy of presets, files and flags as a policy file, or as JSON.",
        rest: "",
        operand: Operand::None,
        policy: true,
        options: &["origin", "json"],
        subs: &[],
        example: "belljar policy show --origin -p @dev",
        run: commands::policy::show,
    },
    Sub {
        name: "schema",
        about: "print the JSON Schema of policy files",
        long: "For editors and other programs.",
        rest: "",
        operand: Operand::None,
        policy: false,
        options: &[],
        subs: &[],
        example: "belljar policy schema",
        run: commands::policy::schema,
    },
];
