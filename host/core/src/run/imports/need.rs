//! Says what an import needs, by its name.

use super::{config, logging, raw_event, wasi};
use crate::policy::Capability;
use crate::run::version::is_version_of;

/// What an import needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it only names types.
    Nothing,
    /// An interface that every policy may import.
    Given,
    /// An interface that the set has to grant.
    Capability(Capability),
    /// An interface that this host does not give.
    Refused,
}

/// The interfaces that every policy may import, in the version that this host has.
pub(in crate::run) const FOR_ALL: [&str; 3] = [config::NAME, logging::NAME, raw_event::NAME];

/// What an import needs: nothing of the set, a capability, or what this host does not have.
pub(in crate::run) fn need(import: &str) -> Need {
    if FOR_ALL.iter().any(|given| is_version_of(import, given)) {
        return Need::Given;
    }
    let Some((interface, version)) = import.split_once('@') else { return Need::Refused };
    let package = wasi::PACKAGES.iter().find(|(package, _)| interface.starts_with(package));
    if !package.is_some_and(|(_, track)| version.strip_prefix(track).is_some_and(|rest| rest.starts_with('.'))) {
        return Need::Refused;
    }
    match interface {
        wasi::WALL_CLOCK | wasi::MONOTONIC_CLOCK => Need::Capability(Capability::Clock),
        wasi::RANDOM => Need::Capability(Capability::Random),
        _ => Need::Capability(Capability::Wasi),
    }
}
