//! The same commands over the counting allocator.

use std::process::ExitCode;

use bartizan_benches::command::{self, Heap};
use bartizan_test::alloc::{self, CountingAllocator};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

fn main() -> ExitCode {
    command::main(|run| {
        let ((), counts) = alloc::count(run);
        Some(Heap { allocations: counts.allocations + counts.reallocations, bytes: counts.bytes })
    })
}
