//! A counting allocator, for tests of what a path costs.
//!
//! A test file of its own makes [`CountingAllocator`] the global one and counts with [`count`]:
//!
//! ```
//! use bartizan_test::alloc::{self, CountingAllocator};
//!
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator::new();
//!
//! let (boxed, counts) = alloc::count(|| Box::new([0_u8; 64]));
//! assert_eq!((counts.allocations, counts.bytes), (1, 64));
//! drop(boxed);
//! ```
//!
//! Counts belong to the thread, so tests that run side by side do not disturb each other, and what other threads do
//! is not seen: poll a future on this thread within the closure.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, which counts for each thread what it is asked for.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CountingAllocator;

impl CountingAllocator {
    /// The same as any other: the counts belong to the thread.
    pub const fn new() -> Self {
        Self
    }
}

/// What a thread asked of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// New pieces of memory.
    pub allocations: u64,
    /// Pieces that were grown or shrunk, whether or not they moved.
    pub reallocations: u64,
    /// Pieces given back.
    pub deallocations: u64,
    /// Bytes of all new pieces, and those by which pieces were grown.
    pub bytes: u64,
    /// Bytes of all pieces given back, and those by which pieces were shrunk.
    pub freed: u64,
}

impl Counts {
    const ZERO: Self = Self { allocations: 0, reallocations: 0, deallocations: 0, bytes: 0, freed: 0 };

    fn since(self, earlier: Self) -> Self {
        Self {
            allocations: self.allocations - earlier.allocations,
            reallocations: self.reallocations - earlier.reallocations,
            deallocations: self.deallocations - earlier.deallocations,
            bytes: self.bytes - earlier.bytes,
            freed: self.freed - earlier.freed,
        }
    }
}

thread_local! {
    // Const and without a destructor, so that its use needs no memory itself and works to a thread's very end.
    static COUNTS: Cell<Counts> = const { Cell::new(Counts::ZERO) };
}

/// Runs `f` and counts what it does to the heap on this thread.
///
/// # Panics
///
/// If [`CountingAllocator`] is not the global allocator, since a count of zero would then mean nothing.
pub fn count<T>(f: impl FnOnce() -> T) -> (T, Counts) {
    let before = COUNTS.get();
    // Behind a black box, since a compiler may leave out a pair of allocation and release.
    drop(std::hint::black_box(Box::new(0_u8)));
    assert_ne!(COUNTS.get(), before, "CountingAllocator is not the #[global_allocator] of this binary");

    let before = COUNTS.get();
    let value = f();
    (value, COUNTS.get().since(before))
}

fn add(change: impl FnOnce(&mut Counts)) {
    let mut counts = COUNTS.get();
    change(&mut counts);
    COUNTS.set(counts);
}

#[allow(
    unsafe_code,
    reason = "the trait of an allocator is unsafe; all that is unsafe is handed on to System"
)]
// SAFETY: every method hands its arguments on to `System` and returns what that returns; `add` neither allocates, nor
// unwinds, nor touches the memory.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(|counts| {
            counts.allocations += 1;
            counts.bytes += layout.size() as u64;
        });
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(|counts| {
            counts.allocations += 1;
            counts.bytes += layout.size() as u64;
        });
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is that of `System`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add(|counts| {
            counts.reallocations += 1;
            counts.bytes += new_size.saturating_sub(layout.size()) as u64;
            counts.freed += layout.size().saturating_sub(new_size) as u64;
        });
        // SAFETY: the caller got `ptr` for `layout` from here, which is to say from `System`.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        add(|counts| {
            counts.deallocations += 1;
            counts.freed += layout.size() as u64;
        });
        // SAFETY: the caller got `ptr` for `layout` from here, which is to say from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }
}
