//! Merges members into `response` and leaves every other byte of the event as it came.

use std::borrow::Cow;
use std::ops::Range;

use crate::event::{Event, EventError, MAX_EVENT_BYTES, Object};
use crate::trigger::Member;

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpliceError {
    /// `response` is not an object.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The reply would be larger than Lambda's limit, which is the same as for events.
    #[error(
        "the reply would have {bytes} bytes, but Lambda takes {MAX_EVENT_BYTES} at most: let the policies set less"
    )]
    TooLarge {
        /// Its size, in bytes.
        bytes: usize,
    },
}

/// The event with `members` set in its `response`. Without members these are the event's own bytes.
///
/// # Errors
///
/// Where there are members to set and `response` is not an object, and where the reply would be too large.
pub(crate) fn splice(event: &Event<'_>, members: &[Member]) -> Result<Vec<u8>, SpliceError> {
    let text = event.text();
    if members.is_empty() {
        return Ok(text.as_bytes().to_vec());
    }
    let mut edits: Vec<(Range<usize>, Cow<'_, str>)> = Vec::new();
    match event.response {
        None => {
            let close = text.trim_end().len() - 1;
            let empty = text.get(..close).is_some_and(|before| before.trim() == "{");
            let comma = if empty { "" } else { "," };
            edits.push((close..close, format!("{comma}\"response\":{{{}}}", joined(members)).into()));
        }
        Some(json) => {
            let response = Object::parse(json, "`response`")?;
            let mut new = Vec::new();
            for member in members {
                let known = edits.len();
                let places = response.iter().filter(|(name, _)| *name == member.name);
                edits.extend(places.map(|(_, value)| (place(text, value), member.json.as_str().into())));
                if edits.len() == known {
                    new.push(member.clone());
                }
            }
            let last = response.iter().last().map(|(_, value)| place(text, value).end);
            match last {
                _ if new.is_empty() => {}
                Some(end) => edits.push((end..end, format!(",{}", joined(&new)).into())),
                None => edits.push((place(text, json), format!("{{{}}}", joined(&new)).into())),
            }
        }
    }
    let added = edits.iter().map(|(_, new)| new.len()).sum::<usize>();
    let removed = edits.iter().map(|(range, _)| range.len()).sum::<usize>();
    match text.len() - removed + added {
        bytes if bytes > MAX_EVENT_BYTES => Err(SpliceError::TooLarge { bytes }),
        bytes => {
            edits.sort_by_key(|(range, _)| (range.start, range.end));
            Ok(edited(text, &edits, bytes))
        }
    }
}

fn joined(members: &[Member]) -> String {
    members.iter().map(|member| format!("\"{}\":{}", member.name, member.json)).collect::<Vec<_>>().join(",")
}

/// Where `part`, a slice of `text`, stands in it.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

fn edited(text: &str, edits: &[(Range<usize>, Cow<'_, str>)], bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes);
    let mut done = 0;
    for (range, new) in edits {
        out.extend_from_slice(text.as_bytes().get(done..range.start).unwrap_or_default());
        out.extend_from_slice(new.as_bytes());
        done = range.end;
    }
    out.extend_from_slice(text.as_bytes().get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(event: &str, members: &[(&'static str, &str)]) -> Result<String, SpliceError> {
        let members: Vec<_> = members.iter().map(|(name, json)| Member { name, json: (*json).to_owned() }).collect();
        let event = Event::parse(event.as_bytes()).unwrap();
        Ok(String::from_utf8(splice(&event, &members)?).unwrap())
    }

    #[test]
    fn members_are_replaced_in_place_and_added_after_the_last() {
        let event = "{ \"response\" : { \"b\" : null , \"x\": 1E2\n } ,\"z\":-0}\n";
        assert_eq!(
            spliced(event, &[("a", "true"), ("b", "false")]).unwrap(),
            "{ \"response\" : { \"b\" : false , \"x\": 1E2,\"a\":true\n } ,\"z\":-0}\n"
        );
    }

    #[test]
    fn a_repeated_member_is_replaced_wherever_it_stands() {
        let event = r#"{"response":{"a":1,"\u0061":2}}"#;
        assert_eq!(spliced(event, &[("a", "3")]).unwrap(), r#"{"response":{"a":3,"\u0061":3}}"#);
    }

    #[test]
    fn a_response_that_is_empty_null_or_absent_is_made() {
        for (event, reply) in [
            (r#"{"response":{}}"#, r#"{"response":{"a":true}}"#),
            (r#"{"response": null }"#, r#"{"response": {"a":true} }"#),
            (r#"{"response":[ ]}"#, r#"{"response":{"a":true}}"#),
            (r#"{"x":"{"}"#, r#"{"x":"{","response":{"a":true}}"#),
            ("{ }\n", "{ \"response\":{\"a\":true}}\n"),
        ] {
            assert_eq!(spliced(event, &[("a", "true")]).unwrap(), reply, "{event}");
        }
    }

    #[test]
    fn a_response_of_another_type_is_refused_only_where_something_is_set() {
        assert_eq!(spliced(r#"{"response":7}"#, &[]).unwrap(), r#"{"response":7}"#);
        assert!(matches!(
            spliced(r#"{"response":7}"#, &[("a", "1")]),
            Err(SpliceError::Event(EventError::WrongType { .. }))
        ));
    }

    #[test]
    fn a_reply_that_lambda_does_not_take_is_not_made() {
        let repeated = vec!["\"a\":0"; 1_000].join(",");
        let event = format!("{{\"response\":{{{repeated}}}}}");
        let large = format!("\"{}\"", "x".repeat(8_000));
        assert!(matches!(spliced(&event, &[("a", &large)]), Err(SpliceError::TooLarge { bytes: 8_000_000.. })));
        assert!(spliced(&event, &[("a", "1")]).is_ok());
    }
}
