//! Serves: the set that decides now, and how a newer one takes its place.

mod serving;
mod decide;
mod tally;
mod revert;
mod offer;
mod settings;
mod memory;
mod keep;
mod refresh;
mod start;

pub use refresh::{Live, Refreshed};
pub use revert::Reverted;
pub use serving::Serving;
pub use settings::{Following, Setup};
