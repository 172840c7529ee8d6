//! Lets TOML say JSON: as a table, or as JSON text where TOML has no word for it, such as null.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A JSON value: its text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Json(String);

impl Json {
    /// The JSON text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl TryFrom<toml::Value> for Json {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::String(text) => match serde_json::from_str::<&RawValue>(&text) {
                Ok(_) => Ok(Self(text)),
                Err(error) => Err(format!("not JSON: {error}; write a table, or JSON text between '''")),
            },
            other => of(other).map(|json| Self(json.to_string())),
        }
    }
}

fn of(value: toml::Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if !number.is_finite() => return Err(format!("JSON has no number `{number}`")),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(of).collect::<Result<_, _>>()?,
        toml::Value::Table(table) => {
            let members = table.into_iter().map(|(key, value)| Ok((key, of(value)?)));
            serde_json::Value::Object(members.collect::<Result<_, String>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        it: Json,
    }

    fn json(toml: &str) -> Result<String, String> {
        toml::from_str::<Holder>(toml).map(|holder| holder.it.0).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_table_and_plain_values_are_json() {
        let table = "[it]\n\"a.b\" = [1, 1.5, true, 'text']\nat = 2026-11-22T12:00:00Z\nin = { side = -1 }";
        let expected = r#"{"a.b":[1,1.5,true,"text"],"at":"2026-11-22T12:00:00Z","in":{"side":-1}}"#;
        assert_eq!(json(table).unwrap(), expected);
        assert_eq!(json("it = 7").unwrap(), "7");
    }

    #[test]
    fn a_text_is_json_as_it_is_written() {
        assert_eq!(json(r#"it = '{"b": null, "a":1E2}'"#).unwrap(), r#"{"b": null, "a":1E2}"#);
        let refused = json("it = 'text'").unwrap_err();
        assert!(refused.starts_with("not JSON: ") && refused.contains("write a table, or JSON text"), "{refused}");
    }

    #[test]
    fn numbers_that_json_lacks_are_refused() {
        assert_eq!(json("it = { a = [nan] }").unwrap_err(), "JSON has no number `NaN`");
        assert_eq!(json("it = -inf").unwrap_err(), "JSON has no number `-inf`");
    }
}
