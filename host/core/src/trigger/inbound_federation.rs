//! Adapts the trigger inbound federation.

use super::request::header;
use super::{Checked, Conflict, Member, agreed_map, json};
use crate::event::{Event, EventError, Object, text};
use crate::run::inbound_federation as wit;

const ATTRIBUTES: &str = "userAttributesToMap";

pub(super) fn lower(event: &Event<'_>) -> Result<wit::Event, EventError> {
    // What is no object is one entry, under the member's own name: a provider's answer is not ours to refuse.
    let attributes = event.request.get("attributes").unwrap_or("null");
    let attributes = Object::parse(attributes, "`request.attributes`").unwrap_or_default();
    let map = |name: &str| match attributes.get(name) {
        Some(json) => Object::parse(json, name).map_or_else(
            |_| text(json).map(|text| (name.to_owned(), text.into())).into_iter().collect(),
            |it| it.entries(),
        ),
        None => Vec::new(),
    };
    Ok(wit::Event {
        header: header(event),
        provider_name: event.request_text("providerName"),
        provider_type: event.request_text("providerType"),
        attributes: wit::ProviderAttributes {
            token_response: map("tokenResponse"),
            id_token: map("idToken"),
            user_info: map("userInfo"),
            saml_response: map("samlResponse"),
        },
    })
}

/// A profile has one author: what is not in it is dropped.
pub(super) fn merge(earlier: wit::Response, later: wit::Response) -> Result<wit::Response, Conflict> {
    let user_attributes_to_map = agreed_map(ATTRIBUTES, earlier.user_attributes_to_map, later.user_attributes_to_map)?;
    Ok(wit::Response { user_attributes_to_map })
}

pub(super) fn members(response: &wit::Response) -> Vec<Member> {
    let attributes = response.user_attributes_to_map.as_ref();
    attributes.map(|it| Member { name: ATTRIBUTES, json: json::map(&json::united(it.clone())) }).into_iter().collect()
}

/// Names and values of attributes have the API's lengths. Without attributes Cognito keeps all of the profile.
pub(super) fn check(_: &Event<'_>, response: &wit::Response) -> Checked {
    let mut checked = Checked::default();
    let attributes = response.user_attributes_to_map.as_deref();
    if attributes.is_some_and(<[_]>::is_empty) {
        checked
            .warn("ignored", format!("`{ATTRIBUTES}` is empty, so Cognito keeps all that the identity provider said"));
    }
    json::check_attributes(&mut checked, ATTRIBUTES, attributes.unwrap_or_default());
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_provider_said_is_read_as_text() {
        let event = r#"{"request":{"attributes":{"idToken":{"exp":1764250000,"groups":["a"],"email":"a@b.example"},"userInfo":{}}}}"#;
        let lowered = lower(&Event::parse(event.as_bytes()).unwrap()).unwrap();
        let seen: Vec<_> =
            lowered.attributes.id_token.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(seen, [("exp", "1764250000"), ("groups", r#"["a"]"#), ("email", "a@b.example")]);
        assert!(lowered.attributes.saml_response.is_empty());
        lower(&Event::parse(b"{}").unwrap()).unwrap();
        let event = Event::parse(br#"{"request":{"attributes":{"samlResponse":"x"}}}"#).unwrap();
        assert_eq!(lower(&event).unwrap().attributes.saml_response, [("samlResponse".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn an_empty_profile_is_written_too() {
        let of = |entries: &[(&str, &str)]| wit::Response {
            user_attributes_to_map: Some(
                entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ),
        };
        assert_eq!(members(&of(&[])).remove(0).json, "{}");
        assert_eq!(members(&of(&[("a", "1"), ("a", "2")])).remove(0).json, r#"{"a":"2"}"#);
        assert_eq!(merge(of(&[("a", "1")]), of(&[])).unwrap_err(), Conflict(ATTRIBUTES));
        merge(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "0"), ("a", "1")])).unwrap();
    }
}
