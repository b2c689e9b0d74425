//! Whatever a jar writes into its channel, only whole frames are requests, and what is kept of the rest stays short.
#![no_main]

use belljar::action::frame::{FRAME, Frames, Outcome, PLACES, REPLY, answer, place, reply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pieces: Vec<&[u8]>| {
    let mut frames = Frames::default();
    for piece in pieces {
        let Ok(heard) = frames.hear(piece) else { return };
        for (id, frame) in heard {
            let bytes = frame.encode(&id).expect("what was a frame is one");
            assert!(bytes.len() <= FRAME);
            assert_eq!(Frames::default().hear(&bytes), Ok(vec![(id, frame)]));
            assert!(place(&id) < PLACES * REPLY as u64);
            assert!(answer(&id, &reply(&id, Outcome::Refused, "why")).is_some());
        }
    }
});
