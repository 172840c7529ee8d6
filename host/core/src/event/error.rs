//! Says why an event was refused before any policy saw it.

/// Why an event could not be decided. Each text names the thing, the reason and the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Larger than Lambda delivers.
    #[error("the event has more than {limit} bytes, which is what Lambda delivers at most: send a smaller event")]
    TooLarge {
        /// The largest size, in bytes.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("the event is not UTF-8 (byte {at} is wrong): save it as UTF-8 text")]
    NotUtf8 {
        /// The offset of the first wrong byte.
        at: usize,
    },
    /// Not JSON.
    #[error("the event is not JSON: {reason}; send one JSON object as Cognito does")]
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// A member has another type than Cognito gives it.
    #[error("{member} is {found}, but Cognito sends {expected}: correct the event")]
    WrongType {
        /// The member, such as `request.userAttributes`, or `the event`.
        member: String,
        /// What stands there.
        found: &'static str,
        /// What should.
        expected: &'static str,
    },
    /// A top-level member stands twice.
    #[error("the event has the member `{member}` twice, so nobody can say which one counts: remove one")]
    Duplicate {
        /// The member's name.
        member: String,
    },
    /// The trigger source belongs to no trigger.
    #[error(
        "`triggerSource` is `{source_name}`, which belongs to no trigger: correct it, for example to `PreSignUp_SignUp`"
    )]
    UnknownSource {
        /// The trigger source.
        source_name: String,
    },
    /// The request has more members and items than any policy is asked to take in.
    #[error("the event's request has more than {limit} members and items, so no policy is asked: send fewer")]
    TooManyItems {
        /// The most that it may have.
        limit: usize,
    },
    /// The request is larger than a policy's memory allows.
    #[error(
        "the event's request has {bytes} bytes, but {limit} are the most that the policies can take in: send less, or raise the limit `memory`, of which a request may take a quarter"
    )]
    LargeRequest {
        /// Its size, in bytes.
        bytes: usize,
        /// The most that it may have, in bytes.
        limit: u64,
    },
    /// Nothing says which trigger the event is of.
    #[error(
        "the event does not say its trigger: add the line `\"triggerSource\": \"PreSignUp_SignUp\",`, or name the trigger with --trigger or COGWIT_TRIGGER (the policies answer {answered})"
    )]
    NoTrigger {
        /// The triggers that the set's policies answer, for the text.
        answered: String,
    },
}
