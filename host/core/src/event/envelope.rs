//! Reads the envelope that every trigger's event has in common.

use std::borrow::Cow;
use std::collections::HashSet;

use super::text::kind;
use super::{EventError, Object, list};
use crate::text::without_marks;

/// The largest event that Lambda delivers synchronously, in bytes.
pub const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// One event: its bytes, and what the envelope says.
#[derive(Debug)]
pub struct Event<'a> {
    text: &'a str,
    /// The members that every event has.
    pub header: Header<'a>,
    /// `request`; empty where it is absent.
    pub request: Object<'a>,
    /// `response` as its JSON text.
    pub response: Option<&'a str>,
}

/// The members that every event has. None stands for absent and for null; a number becomes its text.
#[derive(Debug, Default)]
pub struct Header<'a> {
    /// `version`
    pub version: Option<Cow<'a, str>>,
    /// `triggerSource`
    pub trigger_source: Option<Cow<'a, str>>,
    /// `region`
    pub region: Option<Cow<'a, str>>,
    /// `userPoolId`
    pub user_pool_id: Option<Cow<'a, str>>,
    /// `userName`
    pub user_name: Option<Cow<'a, str>>,
    /// `callerContext.clientId`
    pub client_id: Option<Cow<'a, str>>,
    /// `callerContext.awsSdkVersion`
    pub aws_sdk_version: Option<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// Reads an event. Members that are not known are left alone, and every known member may be absent.
    ///
    /// # Errors
    ///
    /// Refuses what is larger than [`MAX_EVENT_BYTES`], not UTF-8, not JSON, no object, or has a top-level member twice.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EventError> {
        if bytes.len() > MAX_EVENT_BYTES {
            return Err(EventError::TooLarge { limit: MAX_EVENT_BYTES });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| EventError::NotUtf8 { at: error.valid_up_to() })?;
        if text.starts_with('\u{feff}') {
            let reason = "it begins with a byte order mark, which JSON does not have".to_owned();
            return Err(EventError::NotJson { reason });
        }
        let envelope = Object::parse(text, "the event")?;
        if !text.trim_start().starts_with('{') {
            return Err(EventError::WrongType {
                member: "the event".to_owned(),
                found: kind(text),
                expected: "an object",
            });
        }
        let mut seen = HashSet::new();
        if let Some((member, _)) = envelope.iter().find(|(member, _)| !seen.insert(*member)) {
            return Err(EventError::Duplicate { member: without_marks(member) });
        }
        let inner = |name: &str| match envelope.get(name) {
            Some(json) => Object::parse(json, &format!("`{name}`")),
            None => Ok(Object::default()),
        };
        let caller = inner("callerContext")?;
        Ok(Self {
            text,
            header: Header {
                version: envelope.text("version"),
                trigger_source: envelope.text("triggerSource"),
                region: envelope.text("region"),
                user_pool_id: envelope.text("userPoolId"),
                user_name: envelope.text("userName"),
                client_id: caller.text("clientId"),
                aws_sdk_version: caller.text("awsSdkVersion"),
            },
            request: inner("request")?,
            response: envelope.get("response"),
        })
    }

    /// The event as it came.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// A text of the request, such as `codeParameter`: none where it is absent or null.
    pub fn request_text(&self, name: &str) -> Option<String> {
        self.request.text(name).map(Cow::into_owned)
    }

    /// A list of the request, such as `scopes`, item by item as JSON text: empty where it is absent or null.
    ///
    /// # Errors
    ///
    /// [`EventError::WrongType`] where the member is no list.
    pub fn request_list(&self, name: &str) -> Result<Vec<&'a str>, EventError> {
        self.request.get(name).map_or(Ok(Vec::new()), |json| list(json, &format!("`request.{name}`")))
    }

    /// A map of the request, such as `userAttributes`: empty where it is absent, null or `{}`.
    ///
    /// # Errors
    ///
    /// [`EventError::WrongType`] where the member is no object.
    pub fn request_map(&self, name: &str) -> Result<Vec<(String, String)>, EventError> {
        match self.request.get(name) {
            Some(json) => Ok(Object::parse(json, &format!("`request.{name}`"))?.entries()),
            None => Ok(Vec::new()),
        }
    }

    /// A boolean of the request, such as `userNotFound`: none where it is absent or null. The text of a boolean counts as one.
    ///
    /// # Errors
    ///
    /// [`EventError::WrongType`] where the member is no boolean.
    pub fn request_bool(&self, name: &str) -> Result<Option<bool>, EventError> {
        match self.request.text(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(EventError::WrongType {
                member: format!("`request.{name}`"),
                found: self.request.get(name).map_or("null", kind),
                expected: "true or false",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Event<'_>, EventError> {
        Event::parse(text.as_bytes())
    }

    #[test]
    fn partial_events_are_valid() {
        for text in ["{}", r#"{"userName":"rroe","response":{}}"#, r#"{"request":null,"callerContext":null}"#] {
            parse(text).unwrap();
        }
        assert_eq!(parse("{}").unwrap().header.user_name, None);
    }

    #[test]
    fn the_header_tolerates_numbers_and_nulls() {
        let event = parse(r#"{"version":1,"userName":null,"callerContext":{"clientId":"abc"}}"#).unwrap();
        assert_eq!(event.header.version.as_deref(), Some("1"));
        assert_eq!(event.header.user_name, None);
        assert_eq!(event.header.client_id.as_deref(), Some("abc"));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        assert!(matches!(parse(""), Err(EventError::NotJson { .. })));
        assert!(matches!(parse("{\"a\":"), Err(EventError::NotJson { .. })));
        assert!(matches!(parse("{} {}"), Err(EventError::NotJson { .. })));
        assert!(matches!(parse("[]"), Err(EventError::WrongType { found: "an array", .. })));
        assert!(matches!(parse("null"), Err(EventError::WrongType { found: "null", .. })));
        assert!(matches!(parse(r#"{"a":1,"\u0061":2}"#), Err(EventError::Duplicate { .. })));
        assert!(matches!(Event::parse(b"{\"a\":\"\xff\"}"), Err(EventError::NotUtf8 { at: 6 })));
        assert!(matches!(Event::parse(&vec![b' '; MAX_EVENT_BYTES + 1]), Err(EventError::TooLarge { .. })));
    }

    #[test]
    fn maps_and_booleans_of_the_request() {
        let event = parse(
            r#"{"request":{"userAttributes":{"email_verified":true,"n":1E2,"gone":null,"email":"a"},"userNotFound":false,"odd":3}}"#,
        )
        .unwrap();
        let expected = [("email_verified", "true"), ("n", "1E2"), ("email", "a")];
        assert_eq!(
            event.request_map("userAttributes").unwrap(),
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert_eq!(event.request_map("validationData").unwrap(), []);
        assert_eq!(event.request_bool("userNotFound"), Ok(Some(false)));
        assert!(event.request_bool("odd").unwrap_err().to_string().contains("`request.odd` is a number"));
    }
}
