//! Node.js and npm.

use crate::scenario::{Check, File, ROW, Scenario};

const PROJECT: &[File] = &[
    ("package.json", include_bytes!("../../fixtures/node/package.json")),
    ("build.js", include_bytes!("../../fixtures/node/build.js")),
    ("test.js", include_bytes!("../../fixtures/node/test.js")),
];

pub(crate) const ROWS: &[Scenario] = &[
    Scenario {
        name: "node-script",
        needs: &["node"],
        files: &[("many.js", include_bytes!("../../fixtures/node/many.js"))],
        command: &["node", "many.js"],
        ..ROW
    },
    Scenario {
        name: "npm-scripts",
        needs: &["node", "npm"],
        files: PROJECT,
        command: &["npm", "--cache", "{work}/.npm", "--no-update-notifier", "run", "build"],
        results: &["out.txt"],
        ..ROW
    },
    Scenario {
        name: "npm-test",
        needs: &["node", "npm"],
        files: PROJECT,
        command: &["npm", "--cache", "{work}/.npm", "--silent", "test"],
        ..ROW
    },
    Scenario {
        name: "node-no-secret",
        needs: &["node"],
        command: &["node", "-e", "console.log(require('fs').readFileSync('{secret}', 'utf8'))"],
        check: Check::NoSecret,
        ..ROW
    },
    Scenario {
        name: "node-no-listener",
        needs: &["node"],
        command: &[
            "node",
            "-e",
            "require('net').connect({port}, '127.0.0.1', () => process.exit(0)).on('error', () => process.exit(1))",
        ],
        check: Check::NoListener,
        ..ROW
    },
];
