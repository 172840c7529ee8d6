//! Reads the policy's settings: strings by key, from the policy set.

use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use crate::bindings::settings::exports::cogwit::triggers::settings::Guest;
use crate::{host, panic};

/// Checks the settings before the policy serves.
pub trait Settings {
    /// Refuses settings that the policy cannot work with. The text names the setting, what is wrong and the mend.
    ///
    /// What is logged here as a warning, the host shows as a warning about the policy set.
    fn validate() -> Result<(), String>;
}

/// The setting `key`, or `default` where it is not set.
pub fn text(key: &str, default: &str) -> String {
    host::setting(key).unwrap_or_else(|| default.to_owned())
}

/// The setting `key` as a comma-separated list: blanks around an entry are dropped, and so are empty entries.
pub fn list(key: &str, default: &str) -> Vec<String> {
    text(key, default).split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

/// The setting `key` as a number or another type that is written as text.
///
/// # Errors
///
/// The text that [`Settings::validate`] should answer with: it names the setting, its value and an example.
pub fn parsed<T: FromStr + Display>(key: &str, default: T) -> Result<T, String> {
    match host::setting(key) {
        None => Ok(default),
        Some(value) => {
            value.trim().parse().map_err(|_| format!("`{key}` is `{value}`: write a value such as `{default}`"))
        }
    }
}

/// Every setting, sorted by key.
pub fn all() -> Vec<(String, String)> {
    host::settings()
}

/// Refuses settings that are not in `keys`: a misspelt key would leave its default in force unseen.
///
/// # Errors
///
/// The text that [`Settings::validate`] should answer with: it names the unknown key and those that are known.
pub fn only(keys: &[&str]) -> Result<(), String> {
    match host::settings().into_iter().find(|(key, _)| !keys.contains(&key.as_str())) {
        None => Ok(()),
        Some((key, _)) => Err(format!("`{key}` is not known: this policy reads `{}`", keys.join("`, `"))),
    }
}

#[doc(hidden)]
pub struct Exported<P>(PhantomData<P>);

impl<P: Settings> Exported<P> {
    #[doc(hidden)]
    pub const fn checked() {}
}

impl<P: Settings> Guest for Exported<P> {
    fn validate() -> Result<(), String> {
        panic::report();
        P::validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn lists_drop_blanks_and_empty_entries() {
        let world = World::default().setting("clients", " a, ,b,,");
        assert_eq!(world.run(|| list("clients", "z")).value, ["a", "b"]);
        assert_eq!(World::default().run(|| list("clients", "z")).value, ["z"]);
    }

    #[test]
    fn numbers_name_the_setting_and_an_example() {
        let world = World::default().setting("minimum-length", "five");
        assert_eq!(
            world.run(|| parsed("minimum-length", 5_usize)).value,
            Err("`minimum-length` is `five`: write a value such as `5`".to_owned())
        );
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let world = World::default().setting("minimum-lenght", "8");
        assert_eq!(
            world.run(|| only(&["minimum-length"])).value,
            Err("`minimum-lenght` is not known: this policy reads `minimum-length`".to_owned())
        );
    }
}
