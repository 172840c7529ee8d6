//! Reaches release stores from a command line: opens them, names what lies in them, and reads policy sets from anywhere.

/// The credentials of every AWS tool.
mod credentials;
/// A store that is open.
mod open;
/// A channel, or one of its releases, as a command line names it.
mod reference;
/// What this machine saw of a channel.
mod state;
/// Whether a channel continues that.
mod check;
/// What a channel says, whether it is trusted or not.
mod said;
/// A policy set, wherever it lies.
mod policies;

pub(crate) use check::Checked;
pub(crate) use credentials::access;
pub(crate) use open::{Found, Store, failure, fetch_failure, no_channel};
pub(crate) use policies::Policies;
pub(crate) use reference::{Expect, Reference, Wanted};
pub(crate) use said::{Said, Signature, unfollowed};
pub(crate) use state::{Seen, State};
