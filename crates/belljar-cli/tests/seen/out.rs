//! A folder of the host in which a jar asks to write.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::stage::Stage;

/// Kind and file name of each question.
pub(crate) fn asked(stage: &Stage) -> Vec<String> {
    let name = |object: &str| object.rsplit('/').next().unwrap_or_default().to_owned();
    let one = |asked: &serde_json::Value| {
        format!("{} {}", asked["kind"].as_str().unwrap(), name(asked["object"].as_str().unwrap()))
    };
    stage.questions().iter().map(one).collect()
}

/// A folder of the host in which the jar's user may make files, whoever that is.
pub(crate) fn open_folder(stage: &Stage) {
    let out = stage.path("out");
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o777)).unwrap();
}

/// Files of the host that the jar's user may write, each with its name as text.
pub(crate) fn files(stage: &Stage, names: &[&str]) {
    open_folder(stage);
    for name in names {
        let path = stage.path("out").join(name);
        fs::write(&path, format!("{name}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    }
}

pub(crate) fn names(stage: &Stage) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(stage.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
