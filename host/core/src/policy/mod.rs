//! Describes policies as a set's document does: what is to run, with which settings, limits and conditions.

mod document;
mod candidate;
mod capability;
mod condition;
mod limits;
mod mode;
mod settings;

pub use candidate::CandidateDocument;
pub use capability::{Capability, UnknownCapability};
pub use condition::When;
pub(crate) use document::is_name;
pub use document::{Document, DocumentError, PolicyDocument, SetHead};
pub use limits::{Caps, LimitError, LimitTexts, Limits};
pub(crate) use limits::{FUEL, LINES, SIZE, TIME, Unit};
pub use mode::Mode;
pub(crate) use settings::SECRET_PREFIX;
pub use settings::{SettingError, SettingValue, Settings};
