//! Is what every flow is told on its command line, with the limits of Cognito's API.

use std::time::Duration;

use cogwit_core::event::Trigger;

use super::super::common::Format;
use super::super::set::SetArgs;
use super::endpoint::Address;

/// A name with its value.
pub(super) type Entry = (String, String);

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The user's name
    #[arg(long, value_name = "NAME", default_value = "ingrid.o", value_parser = user_name)]
    pub(super) user: String,
    /// An attribute of the user, such as custom:plan=gold; repeat it. Without one: `email=ingrid.o@example.com`
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    pub(super) attribute: Vec<Entry>,
    /// An entry of the `ClientMetadata` that the app sends; repeat it
    #[arg(long, value_name = "KEY=VALUE", value_parser = entry)]
    pub(super) client_metadata: Vec<Entry>,
    /// The app client
    #[arg(long, value_name = "ID", default_value = "6f1vq0d8n3r5t2jc9hm4sbe7pa", value_parser = client_id)]
    pub(super) client_id: String,
    /// The user pool, whose region stands before the `_`
    #[arg(long, value_name = "ID", default_value = "eu-north-1_k7Qm2ZxTb", value_parser = pool_id)]
    pub(super) pool_id: String,
    #[command(flatten)]
    pub(super) set: SetArgs,
    /// Send the events to a function behind Lambda's Invoke API, such as `http://127.0.0.1:9000` of `cogwit serve`. Requests are
    /// not signed; `COGWIT_SERVE_TOKEN` goes along where it is set
    #[arg(long, value_name = "URL", conflicts_with_all = ["policies", "policy", "setting", "grant"])]
    pub(super) endpoint: Option<Address>,
    /// The function's name, alias or ARN
    #[arg(long, value_name = "NAME", default_value = "cogwit", requires = "endpoint")]
    pub(super) function: String,
    /// The triggers that the pool has, by their interfaces' names [default: what the set answers; of an endpoint, all]
    #[arg(long, value_name = "TRIGGER,...", value_delimiter = ',')]
    pub(super) wired: Option<Vec<Trigger>>,
    /// How long each of three tries may take, as Cognito waits 5s
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub(super) patience: Duration,
    /// json: one object
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
    /// Print each event and its answer too
    #[arg(long)]
    pub(super) show_events: bool,
}

fn user_name(text: &str) -> Result<String, String> {
    match (1..=128).contains(&text.chars().count()) && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Ok(text.to_owned()),
        false => Err("Cognito takes 1 to 128 characters without blanks".to_owned()),
    }
}

fn client_id(text: &str) -> Result<String, String> {
    match (1..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+".contains(c)) {
        true => Ok(text.to_owned()),
        false => Err("Cognito takes 1 to 128 letters, digits, `_` and `+`".to_owned()),
    }
}

fn pool_id(text: &str) -> Result<String, String> {
    let parts = text.split_once('_').filter(|(region, id)| {
        !region.is_empty() && !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric()) && text.len() <= 55
    });
    match parts {
        Some(_) => Ok(text.to_owned()),
        None => Err("write a region, `_`, and letters and digits, such as `eu-north-1_k7Qm2ZxTb`".to_owned()),
    }
}

fn attribute(text: &str) -> Result<Entry, String> {
    limited(text, "NAME=VALUE", 32, 2048)
}

/// An entry of a map that goes from an app to the functions.
pub(super) fn entry(text: &str) -> Result<Entry, String> {
    limited(text, "KEY=VALUE", 131_072, 131_072)
}

fn limited(text: &str, form: &str, most_of_name: usize, most_of_value: usize) -> Result<Entry, String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("there is no `=`: write {form}"))?;
    let (of_name, of_value) = (name.chars().count(), value.chars().count());
    if !(1..=most_of_name).contains(&of_name) {
        return Err(format!("the name has {of_name} characters, and Cognito takes 1 to {most_of_name}: shorten it"));
    }
    if of_value > most_of_value {
        return Err(format!("the value has {of_value} characters, and Cognito takes {most_of_value}: shorten it"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cognito_would_not_take_is_refused() {
        assert_eq!(attribute("custom:a=b=c"), Ok(("custom:a".to_owned(), "b=c".to_owned())));
        assert_eq!(attribute("email="), Ok(("email".to_owned(), String::new())));
        assert_eq!(attribute("email").unwrap_err(), "there is no `=`: write NAME=VALUE");
        assert!(attribute("=x").unwrap_err().contains("0 characters"));
        assert!(attribute(&format!("{}=x", "é".repeat(33))).unwrap_err().contains("1 to 32"));
        assert!(attribute(&format!("a={}", "é".repeat(2048))).is_ok());
        assert!(attribute(&format!("a={}", "é".repeat(2049))).unwrap_err().contains("takes 2048"));
        assert!(entry(&format!("a={}", "b".repeat(131_072))).is_ok());
    }

    #[test]
    fn names_may_be_of_any_script() {
        for name in ["ingrid.o", "日本太郎", "åse+1@fjord.example", &"é".repeat(128)] {
            assert!(user_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a\u{7}", &"é".repeat(129)] {
            assert!(user_name(name).is_err(), "{name}");
        }
        assert!(pool_id("eu-north-1_a1").is_ok() && client_id("a_1").is_ok());
        for id in ["eu-north-1", "_a1", "eu-north-1_", "eu-north-1_a-1", "", &format!("e_{}", "a".repeat(54))] {
            assert!(pool_id(id).is_err(), "{id}");
        }
        assert!(client_id("a-1").is_err() && client_id("").is_err());
    }
}
