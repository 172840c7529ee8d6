//! Is what no report shows: passwords, answers of challenges and their private parameters, wherever a function repeats them.

use std::collections::BTreeSet;

use cogwit_core::Redactor;
use serde_json::Value;

/// Members of events that are secret. What the client gets is not, though it may be a private parameter too.
const SECRET: [&str; 4] = ["password", "challengeAnswer", "privateChallengeParameters", "challengeMetadata"];

/// Shorter values stand in every text: they are hidden where they stand alone.
const LEAST: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Hidden {
    public: BTreeSet<String>,
    short: BTreeSet<String>,
    long: Redactor,
}

impl Hidden {
    /// Hides the secret settings of a set from the start.
    pub(super) fn new(secrets: &Redactor) -> Self {
        Self { long: secrets.clone(), ..Self::default() }
    }

    /// Learns what is secret of an event, as it was sent or as it came back.
    pub(super) fn learn(&mut self, event: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Value>(event) else { return };
        let texts = |part: &str, name: &str| texts(event.get(part).and_then(|part| part.get(name)));
        self.public.extend(texts("response", "publicChallengeParameters"));
        let secret = SECRET.into_iter().flat_map(|name| ["request", "response"].map(|part| texts(part, name)));
        for value in secret.flatten().filter(|value| !self.public.contains(value)) {
            match value.chars().count() < LEAST {
                true => drop(self.short.insert(value)),
                false => self.long = std::mem::take(&mut self.long).and(&Redactor::configured([value.as_str()])),
            }
        }
    }

    /// A text without them.
    pub(super) fn mask(&self, text: String) -> String {
        let short = self.short.iter().map(|value| Value::from(value.as_str()).to_string());
        short.fold(self.long.mask(&text), |text, quoted| text.replace(&quoted, "\"***\""))
    }

    /// JSON without them.
    pub(super) fn mask_json(&self, json: Value) -> Value {
        match json {
            Value::String(text) if self.short.contains(&text) => "***".into(),
            Value::String(text) => self.long.mask(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.mask_json(item)).collect(),
            Value::Object(members) => {
                let masked = members.into_iter().map(|(name, json)| match SECRET.contains(&name.as_str()) {
                    true => (name, stars(json)),
                    false => (name, self.mask_json(json)),
                });
                Value::Object(masked.collect())
            }
            plain => plain,
        }
    }
}

/// Only the form of a value.
fn stars(json: Value) -> Value {
    match json {
        Value::Null => Value::Null,
        Value::Object(members) => members.into_iter().map(|(name, json)| (name, stars(json))).collect(),
        _ => "***".into(),
    }
}

/// The text that a member is, or the texts in it.
fn texts(json: Option<&Value>) -> Vec<String> {
    match json {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Object(members)) => members.values().flat_map(|json| texts(Some(json))).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_turn_up() {
        let mut hidden = Hidden::default();
        let response = json!({
            "publicChallengeParameters": { "nonce": "n-771" },
            "privateChallengeParameters": { "pin": "4071", "nonce": "n-771", "tries": "2" },
        });
        hidden.learn(json!({ "request": { "password": "Grønn\"1" }, "response": response }).to_string().as_bytes());
        hidden.learn(b"undefined");
        let text = r#"2 of Grønn"1 and "Grønn\"1", 4071 for n-771, "2""#.to_owned();
        assert_eq!(hidden.mask(text), r#"2 of *** and "***", *** for n-771, "***""#);
        assert_eq!(
            hidden.mask_json(json!({ "response": response, "said": ["4071", "2", 2, "n-771"], "password": null })),
            json!({
                "response": {
                    "publicChallengeParameters": { "nonce": "n-771" },
                    "privateChallengeParameters": { "pin": "***", "nonce": "***", "tries": "***" },
                },
                "said": ["***", "***", 2, "n-771"],
                "password": null,
            })
        );
    }
}
