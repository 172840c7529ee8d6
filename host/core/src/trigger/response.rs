//! Is what an adapter makes of a verdict: members to set, and what was found when they were checked.

use super::json;

/// A member of `response` that a policy set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Its value, as JSON.
    pub json: String,
}

/// What an operator should know of a decision that was made all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// A word to search for, such as `moves-alias`.
    pub code: &'static str,
    /// The sentence.
    pub text: String,
}

impl Warning {
    pub(crate) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// The most warnings of one decision. A policy may answer any number of claims that deserve one.
const MAX_WARNINGS: usize = 100;

/// What a check of a merged response found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) warnings: Vec<Warning>,
    /// The member that Cognito would refuse, and why.
    pub(crate) refused: Option<(&'static str, String)>,
}

/// A member that two policies want to have different values, where nobody can say which counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict(pub(crate) &'static str);

/// What both want a member to be, where they have to agree.
pub(super) fn agreed<T: PartialEq>(
    member: &'static str,
    earlier: Option<T>,
    later: Option<T>,
) -> Result<Option<T>, Conflict> {
    match (&earlier, &later) {
        (Some(one), Some(other)) if one != other => Err(Conflict(member)),
        _ => Ok(later.or(earlier)),
    }
}

/// What both want a map to be, where they have to agree. The order of its entries means nothing.
pub(super) fn agreed_map(
    member: &'static str,
    earlier: Option<Vec<(String, String)>>,
    later: Option<Vec<(String, String)>>,
) -> Result<Option<Vec<(String, String)>>, Conflict> {
    let sorted = |map: &Option<_>| map.clone().map(json::sorted);
    agreed(member, sorted(&earlier), sorted(&later))?;
    Ok(later.or(earlier))
}

impl Checked {
    /// Warns of something.
    pub(super) fn warn(&mut self, code: &'static str, text: impl Into<String>) {
        match self.warnings.len() {
            ..MAX_WARNINGS => self.warnings.push(Warning::new(code, text)),
            MAX_WARNINGS => self.warnings.push(Warning::new("more-warnings", "further warnings are left out")),
            _ => {}
        }
    }

    /// Notes that Cognito would refuse a member; the first such counts.
    pub(super) fn refuse(&mut self, member: &'static str, text: impl Into<String>) {
        self.refused.get_or_insert_with(|| (member, text.into()));
    }
}
