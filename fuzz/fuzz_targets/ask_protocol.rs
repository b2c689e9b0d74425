//! Whatever the user's program sends over the ask socket, only a well-formed answer to the open question is one.
#![no_main]

use belljar::ask::wire::{Conversation, News};
use belljar::ask::{Prompt, Want};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pieces: Vec<&[u8]>| {
    let mut talk = Conversation::new("n", true);
    let prompt = Prompt {
        program: "/p".into(),
        pid: None,
        call: "openat".into(),
        want: Want::Read("/o".into()),
        rule: String::new(),
    };
    let mut greeted = false;
    for piece in pieces {
        if greeted {
            assert!(talk.ask(&prompt, 1).ends_with(b"\n"));
        }
        let Ok(news) = talk.hear(piece) else { return };
        for one in news {
            match one {
                News::Greeted => assert!(!std::mem::replace(&mut greeted, true)),
                News::Answered(_) | News::Late => assert!(greeted),
                _ => {}
            }
        }
        drop(talk.done("expired", true));
    }
});
