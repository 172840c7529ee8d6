//! Keeps secrets and personal values out of everything that is written: logs, messages, reasons, records, reports.

mod encodings;
mod values;
mod matcher;
mod own_text;
mod redactor;

pub(crate) use own_text::{OwnText, PolicyText, of_component};
pub use redactor::Redactor;
