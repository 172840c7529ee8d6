//! Is what the triggers without an output have in common: nothing is set.

use super::{Checked, Conflict, Member};
use crate::event::Event;

pub(super) fn merge((): (), (): ()) -> Result<(), Conflict> {
    Ok(())
}

pub(super) fn members((): &()) -> Vec<Member> {
    Vec::new()
}

pub(super) fn check(_: &Event<'_>, (): &()) -> Checked {
    Checked::default()
}
