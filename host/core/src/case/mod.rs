//! Tests a policy set: events, each with what is expected of its decision.
//!
//! The same file is a scenario of this repository, a unit test of a policy and a smoke case of a set, so a case is decided
//! as any other event is: same engine, same limits.

mod document;
mod json;
mod expect;
mod check;
mod smoke;
mod flow;

pub use check::{Checked, ID, Mismatch};
pub use document::{Candidate, Case, CaseFile};
pub use expect::Expect;
pub use flow::{Crossing, cross};
pub use smoke::{NotAdmitted, admit, admit_to_serve};
