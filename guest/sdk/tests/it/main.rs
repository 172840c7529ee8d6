//! Holds the SDK to what it promises outside this repository.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod package;
