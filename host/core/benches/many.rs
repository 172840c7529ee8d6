//! Admits a thousand policies over ten components in under 2 s, and decides by one of them as soon as by one of ten.
//!
//! `cargo bench -p cogwit-core --bench many`
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a proof fails loudly")]

#[path = "../tests/it/many.rs"]
mod many;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../../tests/s3/mod.rs"]
mod s3;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../../tests/scenario.rs"]
mod scenario;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../tests/it/ship.rs"]
mod ship;

fn main() {
    many::hold();
}
