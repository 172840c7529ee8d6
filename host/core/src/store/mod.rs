//! Brings policy sets in: reads one from where it lies, and admits it only if all of it can serve.

mod files;
mod folders;
mod lock;
mod source;
mod rollout;
mod set;
mod findings;
mod components;
mod admission;

pub use admission::{Admission, MAX_COST_AT_START, MOST_COMPILED_AT_START, cost_at_start};
pub use files::check_regular;
pub use findings::{Finding, Rejected};
pub use folders::Folders;
pub(crate) use lock::MAX_NATIVE_BYTES;
pub use rollout::Side;
pub use set::{Candidate, Policy, PolicySet};
pub(crate) use source::MAX_COMPONENT_BYTES;
pub use source::{Package, Source, SourceError, TestTexts, Tests, read_cases, read_document, test_files};
