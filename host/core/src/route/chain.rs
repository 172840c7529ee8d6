//! Says which trigger an event is of, and which policies answer it.

use std::collections::BTreeSet;

use crate::Call;
use crate::event::{Event, EventError, Header, Trigger};
use crate::policy::Mode;
use crate::store::{Policy, PolicySet, Side};
use crate::text::without_marks;

/// The trigger of an event: by its `triggerSource`; without one as the call says; else the one trigger that is answered at all.
///
/// # Errors
///
/// Where the source belongs to no trigger, or nothing says which trigger it is.
pub fn trigger(event: &Event<'_>, call: &Call<'_>, set: &PolicySet) -> Result<Trigger, EventError> {
    let of_event =
        Trigger::of(event).map_err(|unknown| EventError::UnknownSource { source_name: without_marks(&unknown.0) })?;
    if let Some(trigger) = of_event.or(call.trigger) {
        return Ok(trigger);
    }
    let answering = set.policies.iter().filter(|policy| policy.mode == Mode::Enforce);
    let may_answer = answering.filter(|policy| may_answer(policy, call));
    let answered: BTreeSet<_> = may_answer.flat_map(|policy| &policy.triggers).collect();
    let answered: Vec<_> = answered.into_iter().collect();
    match answered.as_slice() {
        [only] => Ok(**only),
        several => Err(EventError::NoTrigger {
            answered: several.iter().map(|trigger| format!("`{trigger}`")).collect::<Vec<_>>().join(" and "),
        }),
    }
}

/// The policies that answer an event, in the set's order; of one with a candidate the side that answers this user.
pub fn chain<'a>(
    header: &Header<'_>,
    trigger: Trigger,
    call: &Call<'_>,
    set: &'a PolicySet,
) -> Vec<(&'a Policy, Option<Side>)> {
    let answering = set.answering(trigger, header).into_iter();
    answering.filter(|policy| may_answer(policy, call)).map(|policy| set.side(policy, header, call.bucket)).collect()
}

/// The policies that look on at an event, in the set's order.
pub fn shadows<'a>(header: &Header<'_>, trigger: Trigger, call: &Call<'_>, set: &'a PolicySet) -> Vec<&'a Policy> {
    let mut looking_on = set.looking_on(trigger, header);
    looking_on.retain(|policy| may_answer(policy, call));
    looking_on
}

/// Whether the call leaves it to this policy.
fn may_answer(policy: &Policy, call: &Call<'_>) -> bool {
    call.policy.is_none_or(|only| only == policy.name)
}
