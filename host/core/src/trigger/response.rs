//! Is what an adapter makes of a verdict: members to set, and what was found when they were checked.

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

/// What a check of a merged response found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) warnings: Vec<Warning>,
    /// The member that Cognito would refuse, and why.
    pub(crate) refused: Option<(&'static str, String)>,
}
