//! Writes down decisions: one JSON line for each, the same in every host, which CloudWatch reads as metrics too.

mod masking;
mod mask;
mod metrics;
mod set;
mod line;

pub use line::{Record, Setting};
pub use masking::Masking;
