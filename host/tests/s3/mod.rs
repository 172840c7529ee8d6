//! Is an S3 on a port of this machine, for tests: one bucket, real signatures, and every fault of a bad day.
//!
//! [`S3::start`] starts it. A crate that leaves parts of it unused says `#[expect(dead_code, reason = "...")]` on its `mod s3`.

mod asked;
mod refusal;
mod signature;
mod bucket;
mod list;
mod fault;
mod server;

// All names of one module, since a crate need not use each: `S3`, `Fault`, `Seen`.
pub(crate) use self::server::*;
