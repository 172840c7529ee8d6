//! Verify auth challenge response: says whether a challenge was answered well.

use crate::bindings::verify_auth_challenge_response::exports::cogwit::triggers::verify_auth_challenge_response::Guest;
pub use crate::bindings::verify_auth_challenge_response::exports::cogwit::triggers::verify_auth_challenge_response::{
    Event, Response,
};
use crate::{Denial, event};

/// Answers the trigger `VerifyAuthChallengeResponse`.
pub trait VerifyAuthChallengeResponse {
    /// Judges the answer, or refuses with a message.
    fn decide(event: Event) -> Result<Response, Denial>;
}

event::exported!(VerifyAuthChallengeResponse, Response);
event::header!(Event);
event::map!(Event, attribute, with_attribute, user_attributes, "`request.userAttributes`");
event::map!(Event, metadata, with_metadata, client_metadata, "`request.clientMetadata`");
event::map!(
    Event,
    private_parameter,
    with_private_parameter,
    private_challenge_parameters,
    "`request.privateChallengeParameters`"
);
event::text!(Event, answer, with_answer, challenge_answer, "`request.challengeAnswer`");

impl Event {
    /// Whether there is no such user: the answer must not show it.
    pub fn is_nobody(&self) -> bool {
        self.user_not_found == Some(true)
    }
}

impl Response {
    /// Says whether the answer is right.
    pub fn of(answer_correct: bool) -> Self {
        Self { answer_correct: Some(answer_correct) }
    }
}
