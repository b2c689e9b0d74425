//! Any bytes into what init and the supervisor read of each other.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "test program")]

use belljar_sys::wire::{Command, Event, SIZE};
use proptest::prelude::*;

proptest! {
    /// What is read is what such a message says, and nothing of another length is one.
    #[test]
    fn no_bytes_of_the_status_socket_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2 * SIZE), kind in 0_u64..12) {
        prop_assert!(bytes.len() == SIZE || Event::decode(&bytes).is_none());
        let mut message = bytes;
        message.resize(SIZE, 0);
        message[..8].copy_from_slice(&kind.to_le_bytes());
        let event = Event::decode(&message);
        prop_assert_eq!(event.is_some(), (1..=8).contains(&kind));
        prop_assert!(event.is_none_or(|event| Event::decode(&event.encode()) == Some(event)));
    }

    #[test]
    fn no_bytes_to_init_are_two_commands(bytes in any::<[u8; 2]>()) {
        prop_assert!(Command::decode(bytes).is_none_or(|command| command.encode() == bytes));
    }
}
