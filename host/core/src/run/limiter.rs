//! Counts the memory of one instance, over all its memories and tables together.

use wasmtime::ResourceLimiter;

/// An element of a table holds a pointer.
const ELEMENT_BYTES: usize = 8;

/// The memory limit was hit. Raised into the guest as an error of our own, so that a fault can say what was asked.
#[derive(Debug, thiserror::Error)]
#[error("asked for {asked} bytes of memory")]
pub(super) struct MemoryHit {
    pub(super) asked: u64,
}

/// Counts and limits. The engine asks per memory; the sum is kept here.
pub(super) struct Limiter {
    limit: u64,
    used: u64,
    pub(super) peak: u64,
    /// What the last granted growth took, in case the engine cannot carry it out.
    granted: u64,
}

impl Limiter {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, used: 0, peak: 0, granted: 0 }
    }

    fn grow(&mut self, current: usize, desired: usize, unit: usize) -> wasmtime::Result<bool> {
        let granted = desired.saturating_sub(current).saturating_mul(unit) as u64;
        let asked = self.used.saturating_add(granted);
        if asked > self.limit {
            return Err(MemoryHit { asked }.into());
        }
        self.used = asked;
        self.peak = self.peak.max(asked);
        self.granted = granted;
        Ok(true)
    }

    fn give_back(&mut self) {
        self.used = self.used.saturating_sub(std::mem::take(&mut self.granted));
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, 1)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, ELEMENT_BYTES)
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_sum() {
        let mut limiter = Limiter::new(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.table_growing(0, 5, None).unwrap());
        let error = limiter.memory_growing(0, 1, None).unwrap_err();
        assert_eq!(error.downcast_ref::<MemoryHit>().unwrap().asked, 101);
        assert_eq!(limiter.peak, 100);
    }

    #[test]
    fn a_growth_that_failed_is_given_back() {
        let mut limiter = Limiter::new(100);
        limiter.memory_growing(0, 80, None).unwrap();
        limiter.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(limiter.memory_growing(0, 90, None).unwrap());
    }
}
