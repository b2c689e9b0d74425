//! Whatever a worker sends: a packet is a whole message or none, a body a value of its type in its one spelling or none.
#![no_main]

use std::collections::BTreeMap;

use belljar::worker::wire::{Frame, HEAD, Head, MOST_BODY, decode, encode};
use belljar::worker::{Buffer, Bytes, Descriptor};
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Message {
    Nothing,
    Number(i64, u16),
    Texts(Vec<String>),
    Nested(Option<Box<Message>>),
    Map(BTreeMap<String, (char, bool)>),
    File { at: Descriptor, name: Bytes },
    Memory(Buffer),
    Units(Vec<()>, u128, [u8; 3]),
}

fuzz_target!(|packet: &[u8]| {
    if let Ok(frame) = Frame::check(packet, Vec::new(), MOST_BODY) {
        let (head, _) = Head::split(packet).expect("a message has a head");
        assert_eq!(frame.body.len() + HEAD, packet.len());
        assert_eq!(head.encode(), packet[..HEAD]);
    }
    if let Ok(message) = decode::<Message>(packet, Vec::new()) {
        let (bytes, descriptors) = encode(&message).expect("what was decoded can be encoded");
        assert!(descriptors.is_empty());
        assert_eq!(bytes, packet);
    }
});
