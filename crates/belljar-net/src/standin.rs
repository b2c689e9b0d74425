//! Stand-in addresses: each granted name that was asked for has one, and the address of a connection tells the name.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

/// `198.18.0.0/15` is set aside for tests of networks and routed nowhere.
pub(crate) const RANGE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// Addresses of a range, the first and the last one left out.
const COUNT: u32 = (1 << 17) - 2;

/// One name with its address.
#[derive(Debug)]
struct Entry {
    name: String,
    /// Connections that were made to the address and are still there.
    holds: usize,
    /// Place in the order of use; none for names that the policy writes out: they stay.
    used: Option<u64>,
}

/// Names and their addresses, both ways. Names of patterns make room for others, the least recently used one first, but
/// never while a connection holds one; an address comes back only after all others have been given out.
#[derive(Debug)]
pub(crate) struct StandIns {
    range: u32,
    most: usize,
    by_name: HashMap<String, Ipv4Addr>,
    by_address: HashMap<Ipv4Addr, Entry>,
    order: BTreeMap<u64, Ipv4Addr>,
    clock: u64,
    next: u32,
}

impl StandIns {
    /// Keeps at most `most` names that patterns hold, in the `/15` that `range` lies in.
    pub(crate) fn new(range: Ipv4Addr, most: usize) -> Self {
        let range = range.to_bits() & !0x1_ffff;
        let most = most.min(usize::try_from(COUNT / 2).unwrap_or(usize::MAX)).max(1);
        let (by_name, by_address) = (HashMap::new(), HashMap::new());
        Self { range, most, by_name, by_address, order: BTreeMap::new(), clock: 0, next: 0 }
    }

    /// The address of a name, given out now if it has none. None when every address that could make room is in use.
    pub(crate) fn address(&mut self, name: &str, stays: bool) -> Option<Ipv4Addr> {
        if let Some(addr) = self.by_name.get(name).copied() {
            self.touch(addr);
            return Some(addr);
        }
        if !stays && self.order.len() >= self.most {
            self.make_room()?;
        }
        let addr = self.free()?;
        self.by_name.insert(name.to_owned(), addr);
        self.by_address.insert(addr, Entry { name: name.to_owned(), holds: 0, used: (!stays).then_some(0) });
        self.touch(addr);
        Some(addr)
    }

    /// The name behind an address that a connection was made to; it is held until [`StandIns::release`].
    pub(crate) fn hold(&mut self, addr: Ipv4Addr) -> Option<String> {
        let entry = self.by_address.get_mut(&addr)?;
        entry.holds = entry.holds.saturating_add(1);
        let name = entry.name.clone();
        self.touch(addr);
        Some(name)
    }

    /// The name behind an address, as long as it stands for one.
    pub(crate) fn name(&self, addr: Ipv4Addr) -> Option<&str> {
        self.by_address.get(&addr).map(|entry| entry.name.as_str())
    }

    /// A connection to the address is gone.
    pub(crate) fn release(&mut self, addr: Ipv4Addr) {
        if let Some(entry) = self.by_address.get_mut(&addr) {
            entry.holds = entry.holds.saturating_sub(1);
        }
    }

    fn touch(&mut self, addr: Ipv4Addr) {
        let Some(used) = self.by_address.get_mut(&addr).and_then(|entry| entry.used.as_mut()) else { return };
        self.clock = self.clock.saturating_add(1);
        self.order.remove(used);
        *used = self.clock;
        self.order.insert(self.clock, addr);
    }

    /// Forgets the least recently used name that no connection holds.
    fn make_room(&mut self) -> Option<()> {
        let is_free = |addr: &Ipv4Addr| self.by_address.get(addr).is_some_and(|entry| entry.holds == 0);
        let (used, addr) =
            self.order.iter().find(|(_, addr)| is_free(addr)).map(|(used, addr)| (*used, *addr))?;
        self.order.remove(&used);
        let entry = self.by_address.remove(&addr)?;
        self.by_name.remove(&entry.name);
        Some(())
    }

    /// The next address in the ring that stands for nothing.
    fn free(&mut self) -> Option<Ipv4Addr> {
        for _ in 0..COUNT {
            self.next = self.next % COUNT + 1;
            let addr = Ipv4Addr::from_bits(self.range | self.next);
            if !self.by_address.contains_key(&addr) {
                return Some(addr);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_held_address_keeps_its_name_whatever_is_asked_for(steps in prop::collection::vec((0_u8..3, 0_u8..12), 0..200)) {
            let mut table = StandIns::new(RANGE, 4);
            let mut held: Vec<(Ipv4Addr, String)> = Vec::new();
            for (step, number) in steps {
                let name = format!("n{number}");
                let found = table.address(&name, number == 0);
                match (step, found) {
                    (0, Some(addr)) => {
                        prop_assert_eq!(table.hold(addr), Some(name.clone()));
                        held.push((addr, name));
                    }
                    (1, _) if !held.is_empty() => {
                        let (addr, _) = held.swap_remove(usize::from(number) % held.len());
                        table.release(addr);
                    }
                    _ => prop_assert!(found.is_some() || held.len() >= 4),
                }
                for (addr, name) in &held {
                    prop_assert_eq!(table.by_address.get(addr).map(|entry| &entry.name), Some(name));
                }
                prop_assert!(table.order.len() <= 4 && table.by_name.len() == table.by_address.len());
            }
        }
    }

    #[test]
    fn each_name_has_its_own_address_and_keeps_it() {
        let mut table = StandIns::new(RANGE, 10);
        let first = table.address("a.org", true).unwrap();
        assert_eq!(first, Ipv4Addr::new(198, 18, 0, 1));
        let second = table.address("b.org", false).unwrap();
        assert_ne!(first, second);
        assert_eq!(table.address("a.org", true), Some(first));
        assert_eq!(table.hold(second).as_deref(), Some("b.org"));
        assert_eq!(table.hold(Ipv4Addr::new(198, 19, 0, 1)), None);
    }

    #[test]
    fn the_least_recently_used_name_makes_room_unless_it_is_held() {
        let mut table = StandIns::new(RANGE, 3);
        let stays = table.address("stays.org", true).unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| table.address(name, false).unwrap());
        table.hold(a).unwrap();
        table.address("b", false).unwrap();
        let d = table.address("d", false).unwrap();
        assert_eq!(table.hold(c), None, "c was used least recently and not held");
        assert_eq!(table.hold(b).as_deref(), Some("b"));
        assert_eq!(table.hold(d).as_deref(), Some("d"));
        assert_eq!(table.address("e", false), None, "all are held");
        table.release(a);
        assert!(table.address("e", false).is_some());
        assert_eq!(table.hold(a), None);
        assert_eq!(table.hold(stays).as_deref(), Some("stays.org"));
    }

    #[test]
    fn an_address_comes_back_only_after_all_others() {
        let mut table = StandIns::new(RANGE, 1);
        let first = table.address("n0", false).unwrap();
        for round in 1..COUNT {
            assert_ne!(table.address(&format!("n{round}"), false).unwrap(), first);
        }
        assert_eq!(table.address("again", false), Some(first));
        assert_eq!((table.by_name.len(), table.by_address.len(), table.order.len()), (1, 1, 1));
    }
}
