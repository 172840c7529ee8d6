//! Reads a function's output as Cognito does: the whole event, with `response` of the right types.

use cogwit_core::event::Object;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::exception::Exception;
use super::user::User;

/// What a trigger's function may put into `response`. Types are those of the fields, and null is as good as nothing.
pub(super) trait Response: Default + DeserializeOwned {
    /// Why Cognito would refuse it, in Cognito's words as far as they are known.
    fn refused(&self, _: &User) -> Option<String> {
        None
    }
}

/// The response of a trigger that has no output.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Nothing {}

impl Response for Nothing {}

/// For a field that is an object: serde would take an array for a struct.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let map: Option<Map<String, Value>> = Option::deserialize(deserializer)?;
    map.map(|map| serde_json::from_value(Value::Object(map)).map_err(serde::de::Error::custom)).transpose()
}

/// The response in the output for an event. How much of the echo Cognito checks is not documented: functions that lost a
/// member of the event failed, so each must be there, whatever it holds.
pub(super) fn read<T: Response>(event: &str, output: &[u8], user: &User) -> Result<T, Exception> {
    let json: Option<&RawValue> = serde_json::from_slice(output).ok();
    let Some(json) = json.map(RawValue::get).filter(|json| *json != "null") else {
        return Err(Exception::of_output("Invalid lambda function output : Invalid JSON"));
    };
    let response = recognized(event, json).and_then(|response| serde_json::from_str::<T>(response).ok());
    let response = response.ok_or_else(|| Exception::of_output("Unrecognizable lambda output"))?;
    match response.refused(user) {
        Some(reason) => Err(Exception::of_output(reason)),
        None => Ok(response),
    }
}

/// The JSON of `response`, where the output is an event with every member that was sent.
fn recognized<'a>(event: &str, output: &'a str) -> Option<&'a str> {
    let (sent, got) = (members(event)?, members(output)?);
    let whole = sent.iter().all(|(name, _)| got.get(name).is_some());
    got.get("response").filter(|json| whole && json.starts_with('{'))
}

fn members(json: &str) -> Option<Object<'_>> {
    json.trim_start().starts_with('{').then(|| Object::parse(json, "it").ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Test {
        flag: Option<bool>,
        #[serde(deserialize_with = "object")]
        inner: Option<Nothing>,
    }

    impl Response for Test {
        fn refused(&self, _: &User) -> Option<String> {
            (self.flag == Some(true)).then(|| "no flags".to_owned())
        }
    }

    fn of(output: &str) -> String {
        let read = read::<Test>(r#"{"version":"1","response":{}}"#, output.as_bytes(), &User::default());
        read.map_or_else(|exception| exception.to_string(), |_| String::new())
    }

    #[test]
    fn an_output_is_the_event_with_a_response() {
        for fine in [
            r#" {"version":"1","response":{}} "#,
            r#"{"response":{"flag":null,"inner":null,"more":[1]},"version":null,"new":1}"#,
            r#"{"response":{"flag":false,"inner":{}},"version":"1"}"#,
        ] {
            assert_eq!(of(fine), "", "{fine}");
        }
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        for junk in ["", " ", "null", "{", "undefined", "{}x"] {
            let told = "InvalidLambdaResponseException: Invalid lambda function output : Invalid JSON";
            assert_eq!(of(junk), told, "{junk}");
        }
        for wrong in [
            "1",
            "[]",
            "\"x\"",
            "{}",
            &deep,
            r#"{"response":{}}"#,
            r#"{"version":"1"}"#,
            r#"{"version":"1","response":null}"#,
            r#"{"version":"1","response":[]}"#,
            r#"{"Version":"1","Response":{}}"#,
            r#"{"version":"1","response":{"flag":"true"}}"#,
            r#"{"version":"1","response":{"inner":[]}}"#,
        ] {
            assert_eq!(of(wrong), "InvalidLambdaResponseException: Unrecognizable lambda output", "{wrong:.80}");
        }
        let refused = of(r#"{"version":"1","response":{"flag":true}}"#);
        assert_eq!(refused, "InvalidLambdaResponseException: no flags");
    }
}
