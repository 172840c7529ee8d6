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
            other => Ok(Self(of(other).to_string())),
        }
    }
}

fn of(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(of).collect(),
        toml::Value::Table(table) => {
            serde_json::Value::Object(table.into_iter().map(|(key, it)| (key, of(it))).collect())
        }
    }
}
