//! Bounds what a policy is asked to take in, so that no caller can make policies fault by the size of an event.

use super::{Event, EventError};

/// The most members and items of a request. Cognito's own lists and maps have some hundreds at most; a caller's metadata may have
/// any number.
const MAX_ITEMS: usize = 5_000;

/// What an event usually has at most: the policy's own fuel is for these.
const USUAL_ITEMS: usize = 64;

/// The fuel that a member or item takes on its way into a component, whatever the policy makes of it: one or two calls of the
/// component's allocator.
const FUEL_PER_ITEM: u64 = 400;

/// The part of a policy's memory that a request may take. The policy needs room to work with it.
const MEMORY_SHARE: u64 = 4;

impl Event<'_> {
    /// Checks that policies can take in the request, the smallest of whose limits `memory` is given. Gives the fuel that a policy
    /// gets beside its own, for the part of the request that is more than usual.
    ///
    /// # Errors
    ///
    /// Where the request has too many members and items, or too many bytes.
    pub(crate) fn check_size(&self, memory: Option<u64>) -> Result<u64, EventError> {
        let members = || self.request.iter();
        let bytes = members().map(|(name, json)| name.len() + json.len()).sum();
        if let Some(limit) = memory.map(|memory| memory / MEMORY_SHARE).filter(|limit| bytes as u64 > *limit) {
            return Err(EventError::LargeRequest { bytes, limit });
        }
        // A comma in a text counts too, until it matters.
        let commas = |json: &str| memchr::memchr_iter(b',', json.as_bytes()).count() + 1;
        let mut items = members().map(|(_, json)| commas(json)).sum::<usize>();
        if items > MAX_ITEMS {
            items = members().map(|(_, json)| commas_outside_texts(json) + 1).sum();
        }
        match items > MAX_ITEMS {
            true => Err(EventError::TooManyItems { limit: MAX_ITEMS }),
            false => Ok(items.saturating_sub(USUAL_ITEMS) as u64 * FUEL_PER_ITEM),
        }
    }
}

fn commas_outside_texts(json: &str) -> usize {
    let (mut commas, mut inside, mut escaped) = (0, false, false);
    for byte in json.bytes() {
        match byte {
            b'"' if !escaped => inside = !inside,
            b',' if !inside => commas += 1,
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    commas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(request: &str, memory: u64) -> Result<u64, EventError> {
        Event::parse(format!("{{\"request\":{request}}}").as_bytes()).unwrap().check_size(Some(memory))
    }

    fn map(entries: usize) -> String {
        let entries: Vec<_> = (0..entries).map(|number| format!("\"k{number}\":\"v\"")).collect();
        format!("{{\"clientMetadata\":{{{}}}}}", entries.join(","))
    }

    #[test]
    fn a_usual_event_gets_no_fuel_and_a_large_one_what_it_costs_to_take_in() {
        assert_eq!(checked(&map(64), 1 << 20), Ok(0));
        assert_eq!(checked(&map(1_064), 1 << 20), Ok(400_000));
        assert_eq!(checked("null", 1 << 20), Ok(0));
    }

    #[test]
    fn what_no_policy_can_take_in_is_refused() {
        assert_eq!(checked(&map(5_001), 1 << 20), Err(EventError::TooManyItems { limit: 5_000 }));
        let text = format!("{{\"code\":\"{}\"}}", ",".repeat(9_000));
        assert!(checked(&text, 1 << 20).is_ok());
        assert!(matches!(checked(&text, 1 << 15), Err(EventError::LargeRequest { limit: 8_192, .. })));
        assert_eq!(commas_outside_texts(r#"{"a\",":1,"b":["\\",2]}"#), 2);
    }
}
