//! Says which events a policy answers.

use serde::{Deserialize, Serialize};

use crate::event::Header;

/// The `when` of a policy: every key that is given must hold, by any one of its values, exactly. A member that the event does
/// not have never matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// User pool ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_pool_id: Option<Vec<String>>,
    /// App client ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Vec<String>>,
    /// Trigger sources, such as `PreSignUp_SignUp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_source: Option<Vec<String>>,
}

impl When {
    /// Whether an event with this header matches.
    pub fn matches(&self, header: &Header<'_>) -> bool {
        let holds = |wanted: &Option<Vec<String>>, member: Option<&str>| match wanted {
            None => true,
            Some(values) => member.is_some_and(|member| values.iter().any(|value| value == member)),
        };
        holds(&self.user_pool_id, header.user_pool_id.as_deref())
            && holds(&self.client_id, header.client_id.as_deref())
            && holds(&self.trigger_source, header.trigger_source.as_deref())
    }

    /// The keys whose lists are empty, so that no event can match.
    pub fn empty_keys(&self) -> impl Iterator<Item = &'static str> {
        [("user-pool-id", &self.user_pool_id), ("client-id", &self.client_id), ("trigger-source", &self.trigger_source)]
            .into_iter()
            .filter(|(_, values)| values.as_ref().is_some_and(Vec::is_empty))
            .map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    fn matches(when: &str, event: &str) -> bool {
        let event = Event::parse(event.as_bytes()).unwrap();
        toml::from_str::<When>(when).unwrap().matches(&event.header)
    }

    #[test]
    fn keys_are_joined_by_and_values_by_or() {
        let when = "user-pool-id = ['p1', 'p2']\nclient-id = ['c1']";
        assert!(matches(when, r#"{"userPoolId":"p2","callerContext":{"clientId":"c1"}}"#));
        assert!(!matches(when, r#"{"userPoolId":"p2","callerContext":{"clientId":"c2"}}"#));
        assert!(!matches(when, r#"{"userPoolId":"p3","callerContext":{"clientId":"c1"}}"#));
        assert!(matches("", "{}"));
    }

    #[test]
    fn an_absent_member_never_matches() {
        assert!(!matches("client-id = ['']", r#"{"callerContext":{"clientId":null}}"#));
        assert!(!matches("trigger-source = ['PreSignUp_SignUp']", "{}"));
    }
}
