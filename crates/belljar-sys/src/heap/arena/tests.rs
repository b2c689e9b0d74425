//! The range alone, its bytes, its threads, and long stories of requests.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::multiple_unsafe_ops_per_block,
    reason = "what goes wrong here fails a test"
)]

use std::vec::Vec;

use super::*;

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

#[test]
fn it_is_closed_until_it_is_opened_and_leaves_small_pieces_to_the_system() {
    let heap = &Arena::new();
    assert_eq!(heap.take(layout(SMALLEST)), None);
    heap.open();
    assert_eq!(heap.take(layout(SMALLEST - 1)), None);
    assert_eq!(heap.take(layout(ROOM + 1)), None);
    assert_eq!(heap.take(layout(ROOM)), Some((0, true)));
    assert_eq!(heap.take(layout(SMALLEST)), None, "there is no more");
}

#[test]
fn the_last_piece_is_handed_out_again_and_all_when_none_is_left() {
    let heap = &Arena::new();
    heap.open();
    let (first, second) = (heap.take(layout(SMALLEST)).unwrap().0, heap.take(layout(SMALLEST)).unwrap().0);
    assert_eq!((first, second), (0, SMALLEST));
    heap.give_back(second, SMALLEST);
    assert_eq!(heap.take(layout(SMALLEST)), Some((second, false)), "it has been used");
    heap.give_back(first, SMALLEST);
    assert_eq!(heap.take(layout(SMALLEST)), Some((2 * SMALLEST, true)), "the first lies before a live one");
    heap.give_back(second, SMALLEST);
    heap.give_back(2 * SMALLEST, SMALLEST);
    assert_eq!(heap.take(layout(SMALLEST)), Some((0, false)));
}

#[test]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one small story")]
fn pieces_keep_their_bytes_when_they_grow_and_zeros_are_zeros() {
    let heap = &Arena::new();
    // SAFETY: layouts are valid and not empty; each piece is used only while it is live.
    unsafe {
        let early = heap.alloc(layout(SMALLEST));
        early.write_bytes(7, SMALLEST);
        heap.open();
        let grown = heap.realloc(early, layout(SMALLEST), 2 * SMALLEST);
        assert_eq!((heap.offset(grown), *grown.add(SMALLEST - 1)), (Some(0), 7));
        assert_eq!(heap.realloc(grown, layout(2 * SMALLEST), HUGE), grown, "the last grows where it is");
        let behind = heap.alloc_zeroed(layout(SMALLEST));
        assert_eq!(*behind, 0);
        let moved = heap.realloc(grown, layout(HUGE), HUGE + 1);
        assert!(moved != grown && *moved == 7);
        heap.dealloc(behind, layout(SMALLEST));
        heap.dealloc(moved, layout(HUGE + 1));
        let again = heap.alloc_zeroed(layout(HUGE));
        assert_eq!((heap.offset(again), *again), (Some(0), 0), "what was written is zero again");
    }
}

#[test]
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one small story")]
fn threads_never_share_a_piece() {
    let heap = &Arena::new();
    heap.open();
    let work = |mark: u8| {
        for round in 0..2000_usize {
            let layout = layout(SMALLEST + (round % 7) * 1000);
            // SAFETY: the layout is valid and not empty; the piece is used only while it is live.
            unsafe {
                let piece = heap.alloc_zeroed(layout);
                assert_eq!(*piece.add(layout.size() - 1), 0);
                piece.write_bytes(mark, layout.size());
                assert!((0..layout.size()).step_by(512).all(|at| *piece.add(at) == mark));
                heap.dealloc(piece, layout);
            }
        }
    };
    std::thread::scope(|scope| {
        for mark in 1..=3 {
            scope.spawn(move || work(mark));
        }
    });
    assert_eq!(split(heap.state.load(Ordering::Acquire)), (0, 0));
}

/// A piece that the story below holds: where it is, how it was asked for, and the mark its bytes carry.
struct Piece {
    at: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Piece {
    /// Places of the piece that are looked at: its ends, and one byte of each page.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let size = self.layout.size();
        (0..size).step_by(4096).chain([size - 1])
    }

    fn fill(&self, mark: u8) {
        // SAFETY: the piece is live, and each place lies in it.
        self.places().for_each(|place| unsafe { self.at.add(place).write(mark) });
    }

    fn holds(&self, mark: u8, bytes: usize) -> bool {
        // SAFETY: the piece is live, and each place lies in it.
        self.places().filter(|place| *place < bytes).all(|place| unsafe { self.at.add(place).read() } == mark)
    }

    fn is_zero(&self) -> bool {
        // SAFETY: the piece is live and this long, and zeroed memory is initialised.
        let bytes = unsafe { std::slice::from_raw_parts(self.at, self.layout.size()) };
        bytes.chunks(4096).all(|chunk| *chunk == [0; 4096][..chunk.len()])
    }

    fn is_apart_from(&self, other: &Piece) -> bool {
        let (own, its) = (self.at.addr(), other.at.addr());
        own + self.layout.size() <= its || its + other.layout.size() <= own
    }
}

/// Requests as programs make them, many of them more than the range holds, against what every allocator promises: pieces are
/// aligned, apart, zero where asked, and keep their bytes when they are resized.
struct Story<'a> {
    heap: &'a Arena,
    live: Vec<Piece>,
    /// Where the story stands: a fixed sequence, another one for each seed.
    dice: u64,
}

impl Story<'_> {
    fn roll(&mut self, below: usize) -> usize {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.dice >> 33).unwrap() % below
    }

    /// From below the smallest piece of the range up to half of it, alignments up to a huge page.
    fn layout(&mut self) -> Layout {
        let most = SMALLEST << self.roll(12);
        let size = 1 + self.roll(most);
        Layout::from_size_align(size, 1 << self.roll(22)).unwrap()
    }

    fn take(&mut self) {
        let (layout, zeroed) = (self.layout(), self.roll(2) == 0);
        // SAFETY: the layout is valid and not empty.
        let at = unsafe { if zeroed { self.heap.alloc_zeroed(layout) } else { self.heap.alloc(layout) } };
        let piece = Piece { at, layout, mark: 0 };
        assert!(!zeroed || piece.is_zero(), "{layout:?}");
        self.keep(piece);
    }

    fn resize(&mut self) {
        let old = self.any();
        let layout = Layout::from_size_align(self.layout().size(), old.layout.align()).unwrap();
        // SAFETY: the piece is live, and of this layout.
        let at = unsafe { self.heap.realloc(old.at, old.layout, layout.size()) };
        let piece = Piece { at, layout, mark: old.mark };
        // The last byte of the smaller one need not have been marked.
        assert!(piece.holds(old.mark, old.layout.size().min(layout.size()) - 1), "{layout:?}");
        self.keep(piece);
    }

    fn give_back(&mut self) {
        let old = self.any();
        assert!(old.holds(old.mark, old.layout.size()), "nobody wrote to it");
        // SAFETY: the piece is live, and of this layout.
        unsafe { self.heap.dealloc(old.at, old.layout) };
    }

    fn any(&mut self) -> Piece {
        let at = self.roll(self.live.len());
        self.live.swap_remove(at)
    }

    /// Judges where a new piece lies, and marks it.
    fn keep(&mut self, mut piece: Piece) {
        assert!(!piece.at.is_null() && piece.at.addr().is_multiple_of(piece.layout.align()));
        assert!(self.live.iter().all(|other| piece.is_apart_from(other)), "{:?}", piece.layout);
        piece.mark = u8::try_from(1 + self.roll(255)).unwrap();
        piece.fill(piece.mark);
        self.live.push(piece);
    }
}

#[test]
fn any_requests_in_any_order_get_what_an_allocator_promises() {
    for seed in 0..6 {
        let heap = &Arena::new();
        let mut story = Story { heap, live: Vec::new(), dice: seed };
        for round in 0..300 {
            if round == 20 {
                heap.open();
            }
            match story.roll(5) {
                _ if story.live.is_empty() => story.take(),
                0 | 1 => story.take(),
                2 | 3 => story.resize(),
                _ => story.give_back(),
            }
            if story.live.len() > 24 {
                story.give_back();
            }
        }
        while !story.live.is_empty() {
            story.give_back();
        }
        assert_eq!(split(heap.state.load(Ordering::Acquire)), (0, 0), "all of it is there again");
        assert!(heap.high.load(Ordering::Acquire) > ROOM / 2, "the story was about the range");
    }
}
