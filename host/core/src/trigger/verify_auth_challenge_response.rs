//! Adapts the trigger verify auth challenge response.

use super::request::header;
use super::{Checked, Conflict, Member};
use crate::event::{Event, EventError};
use crate::run::verify_auth_challenge_response as wit;

const CORRECT: &str = "answerCorrect";

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        private_challenge_parameters: event.request_map("privateChallengeParameters")?,
        challenge_answer: event.request_text("challengeAnswer"),
        client_metadata: event.request_map("clientMetadata")?,
        user_not_found: event.request_bool("userNotFound")?,
    })
}

/// The answer is right only if nobody says that it is wrong.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    let answer_correct = match (earlier.answer_correct, later.answer_correct) {
        (Some(earlier), Some(later)) => Some(earlier && later),
        (earlier, later) => later.or(earlier),
    };
    Ok(wit::Response { answer_correct })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    response.answer_correct.map(|correct| Member { name: CORRECT, json: correct.to_string() }).into_iter().collect()
}

/// What a right answer does for a user who does not exist, the developer guide does not say. A refusal would tell the client who exists.
pub(super) fn check(event: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    if response.answer_correct == Some(true) && event.request_bool("userNotFound") == Ok(Some(true)) {
        checked.warn("user-not-found", format!("`{CORRECT}` is true for a user who does not exist"));
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_right_only_if_nobody_is_against_it() {
        let of = |answer_correct| wit::Response { answer_correct };
        let merged = |earlier, later| merge(of(earlier), of(later)).unwrap().answer_correct;
        assert_eq!(merged(Some(false), Some(true)), Some(false));
        assert_eq!(merged(Some(true), Some(false)), Some(false));
        assert_eq!(merged(Some(true), None), Some(true));
        assert_eq!(merged(None, None), None);
    }

    #[test]
    fn a_right_answer_for_a_user_who_does_not_exist_is_warned_of() {
        let warned = |event: &str, correct| {
            let response = wit::Response { answer_correct: Some(correct) };
            check(&Event::parse(event.as_bytes()).unwrap(), &response).warnings.len() == 1
        };
        assert!(warned(r#"{"request":{"userNotFound":true}}"#, true));
        assert!(!warned(r#"{"request":{"userNotFound":true}}"#, false));
        assert!(!warned(r#"{"request":{"userNotFound":false}}"#, true));
    }
}
