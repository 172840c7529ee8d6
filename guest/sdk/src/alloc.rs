//! Allocates for the length of one decision, without growing the memory for a small one.
// Not under WASI: there the C library counts the same room as its own.
#![cfg(all(target_arch = "wasm32", target_os = "unknown", feature = "allocator"))]
#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

const PAGE: usize = 64 * 1024;

#[global_allocator]
static ALLOCATOR: Bump = Bump { next: Cell::new(0), end: Cell::new(0) };

/// Hands out what lies between the linker's data and the end of the memory, then grows.
///
/// Growing a memory costs more than a whole small decision, and the instance dies with the decision. So memory is taken
/// in one direction; only the newest block is given back or resized in place, which serves strings and vectors.
struct Bump {
    /// The first free address; 0 before the first allocation.
    next: Cell<usize>,
    end: Cell<usize>,
}

// SAFETY: a policy is single-threaded: the host runs components without the threads proposal.
unsafe impl Sync for Bump {}

unsafe extern "C" {
    static __heap_base: u8;
}

impl Bump {
    /// Makes `start..start + size` ours, growing the memory where it ends too early. None where it cannot grow.
    fn take(&self, start: usize, size: usize) -> Option<()> {
        let end = start.checked_add(size)?;
        if end > self.end.get() {
            let pages = (end - self.end.get()).div_ceil(PAGE);
            let grown_at = core::arch::wasm32::memory_grow::<0>(pages);
            if grown_at == usize::MAX || grown_at * PAGE != self.end.get() {
                return None;
            }
            self.end.set((grown_at + pages) * PAGE);
        }
        self.next.set(end);
        Some(())
    }
}

// SAFETY: every block lies between `__heap_base` and the end of the memory, which nothing else uses: `next` only falls
// below a block's end when that block is given back, so blocks in use never overlap. `take` keeps `next` within `end`.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.end.get() == 0 {
            self.next.set(ptr::addr_of!(__heap_base) as usize);
            self.end.set(core::arch::wasm32::memory_size::<0>() * PAGE);
        }
        let start = self.next.get().next_multiple_of(layout.align());
        self.take(start, layout.size()).map_or(ptr::null_mut(), |()| start as *mut u8)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if block as usize + layout.size() == self.next.get() {
            return self.take(block as usize, size).map_or(ptr::null_mut(), |()| block);
        }
        // SAFETY: the caller vouches for `layout`, and `size` does not overflow with its alignment.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks hold at least the smaller size, and a fresh block overlaps no other.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
        }
        moved
    }
}
