//! The counting allocator counts, for the thread that asks and for no other.

use std::hint::black_box;

use bartizan_test::alloc::{self, CountingAllocator, Counts};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

#[test]
fn nothing_is_counted_where_nothing_is_allocated() {
    let (sum, counts) = alloc::count(|| black_box(1) + black_box(2));
    assert_eq!((sum, counts), (3, Counts::default()));
}

#[test]
fn a_box_is_one_allocation_of_its_size() {
    let (boxed, counts) = alloc::count(|| black_box(Box::new([0_u8; 100])));
    assert_eq!((counts.allocations, counts.deallocations, counts.bytes), (1, 0, 100));
    let ((), counts) = alloc::count(|| drop(boxed));
    assert_eq!((counts.allocations, counts.deallocations, counts.bytes), (0, 1, 0));
}

#[test]
fn growth_is_counted_by_the_bytes_added() {
    let mut bytes = Vec::<u8>::with_capacity(black_box(10));
    let ((), counts) = alloc::count(|| bytes.reserve_exact(black_box(30)));
    assert_eq!((counts.allocations, counts.reallocations, counts.bytes), (0, 1, 20));
}

#[test]
fn zeroed_memory_counts() {
    let (_zeroes, counts) = alloc::count(|| black_box(vec![0_u8; black_box(5_000)]));
    assert_eq!((counts.allocations, counts.bytes), (1, 5_000));
}

#[test]
fn other_threads_are_not_counted() {
    let (start, started) = std::sync::mpsc::channel::<()>();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let busy = std::thread::spawn(move || {
        started.recv().unwrap();
        drop(black_box(vec![0_u8; black_box(1 << 20)]));
        done.send(()).unwrap();
    });
    let ((), counts) = alloc::count(|| {
        start.send(()).unwrap();
        is_done.recv().unwrap();
    });
    busy.join().unwrap();
    assert!(counts.bytes < 1 << 20, "{counts:?}");
}
