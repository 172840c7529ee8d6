//! Adapts the trigger create auth challenge.

use super::request::{header, session};
use super::{Checked, Conflict, Member, agreed, json};
use crate::event::{Event, EventError};
use crate::run::create_auth_challenge as wit;

const PUBLIC: &str = "publicChallengeParameters";
const PRIVATE: &str = "privateChallengeParameters";
const METADATA: &str = "challengeMetadata";

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    Ok(wit::Event {
        header: header(event),
        user_attributes: event.request_map("userAttributes")?,
        challenge_name: event.request_text("challengeName"),
        session: session(event)?,
        client_metadata: event.request_map("clientMetadata")?,
        user_not_found: event.request_bool("userNotFound")?,
    })
}

/// The parameters of all policies go together; over the metadata they have to agree.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    let united = json::united_maps;
    Ok(wit::Response {
        public_challenge_parameters: united(earlier.public_challenge_parameters, later.public_challenge_parameters),
        private_challenge_parameters: united(earlier.private_challenge_parameters, later.private_challenge_parameters),
        challenge_metadata: agreed(METADATA, earlier.challenge_metadata, later.challenge_metadata)?,
    })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    [
        (PUBLIC, response.public_challenge_parameters.as_deref().map(json::map)),
        (PRIVATE, response.private_challenge_parameters.as_deref().map(json::map)),
        (METADATA, response.challenge_metadata.as_deref().map(json::text)),
    ]
    .into_iter()
    .filter_map(|(name, json)| Some(Member { name, json: json? }))
    .collect()
}

/// None is documented.
pub(super) fn check(_: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    if response.private_challenge_parameters.as_ref().is_none_or(Vec::is_empty) {
        checked.warn("nothing-to-verify", format!("`{PRIVATE}` is empty, so nothing can be held against the answer"));
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(private: &[(&str, &str)], metadata: Option<&str>) -> wit::Response {
        let private = private.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        wit::Response {
            public_challenge_parameters: None,
            private_challenge_parameters: Some(private),
            challenge_metadata: metadata.map(str::to_owned),
        }
    }

    #[test]
    fn parameters_go_together_and_metadata_has_to_agree() {
        let merged = merge(response(&[("a", "1"), ("b", "2")], None), response(&[("b", "3")], Some("x"))).unwrap();
        let members: Vec<_> = members(&merged).into_iter().map(|member| member.json).collect();
        assert_eq!(members, [r#"{"a":"1","b":"3"}"#, "\"x\""]);
        let apart = merge(response(&[], Some("x")), response(&[], Some("y")));
        assert_eq!(apart.unwrap_err(), Conflict(METADATA));
    }
}
