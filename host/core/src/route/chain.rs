//! Says which trigger an event is of, and which policies answer it.

use crate::event::{Event, EventError, Header, Trigger};
use crate::store::{Policy, PolicySet};
use crate::text::one_line;

/// The trigger of an event: by its `triggerSource`; without one as `given`; else the one trigger that the set answers.
///
/// # Errors
///
/// Where the source belongs to no trigger, or nothing says which trigger it is.
pub fn trigger(event: &Event<'_>, given: Option<Trigger>, set: &PolicySet) -> Result<Trigger, EventError> {
    let of_event =
        Trigger::of(event).map_err(|unknown| EventError::UnknownSource { source_name: one_line(&unknown.0) })?;
    if let Some(trigger) = of_event.or(given) {
        return Ok(trigger);
    }
    let answers: Vec<_> = set.answers().into_iter().collect();
    match answers.as_slice() {
        [only] => Ok(*only),
        several => Err(EventError::NoTrigger {
            answered: several.iter().map(|trigger| format!("`{trigger}`")).collect::<Vec<_>>().join(" and "),
        }),
    }
}

/// The policies that answer an event, in the set's order.
pub fn chain<'a>(set: &'a PolicySet, trigger: Trigger, header: &Header<'_>) -> Vec<&'a Policy> {
    set.answering(trigger, header)
}
