//! Lets users sign in within hours and days only.
//!
//! | setting | meaning | default |
//! | --- | --- | --- |
//! | `hours` | from and to, such as `07:00-19:30`; over midnight too, such as `22:00-06:00` | `00:00-24:00` |
//! | `days` | days of the week on which a window begins, such as `mon, tue, wed, thu, fri` | all |
//! | `utc-offset` | the local time's minutes ahead of UTC; without daylight saving | 0 |
//! | `clients` | app clients that this is for | all |
//! | `override-codes` | codes that open it at any time, separated by commas; secrets, so give them as `{ env = "COGWIT_SECRET_…" }` | empty |
//! | `override-key` | the entry of `validationData`, which is the `ClientMetadata` of `InitiateAuth`, that holds the code | `override` |
//!
//! Needs `capabilities = ["clock"]`. The answer depends on the time, the app client and the code alone, so whoever asks for a user who
//! does not exist (`userNotFound`) learns nothing: such a sign-in goes the same way, and Cognito then refuses it as a wrong password.

use std::time::SystemTime;

use cogwit_sdk::pre_authentication::{Event, PreAuthentication};
use cogwit_sdk::settings::{self, Settings};
use cogwit_sdk::{Denial, clock, export, log};

/// The policy.
pub struct SignInHours;
export!(SignInHours: pre_authentication, settings);

/// From Monday on; 1970 began on a Thursday.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const FIRST_DAY: i64 = 3;
const MINUTES: i64 = 24 * 60;

impl PreAuthentication for SignInHours {
    fn decide(event: Event) -> Result<(), Denial> {
        let clients = settings::list("clients", "");
        if !clients.is_empty() && !event.client_id().is_some_and(|id| clients.iter().any(|client| client == id)) {
            return Ok(());
        }
        if event.user_not_found == Some(true) {
            log::debug("no such user");
        }
        match Window::of_settings().map(|window| window.is_open(clock::now())) {
            Ok(true) => Ok(()),
            _ if has_override(&event) => {
                log::warn("an override code opened it");
                Ok(())
            }
            Ok(false) => Err(Denial::new("Sign-in is closed at this time").because("outside of the hours")),
            Err(wrong) => Err(Denial::new("Sign-in is closed at this time").because(wrong)),
        }
    }
}

impl Settings for SignInHours {
    fn validate() -> Result<(), String> {
        settings::only(&["hours", "days", "utc-offset", "clients", "override-codes", "override-key"])?;
        Window::of_settings().map(drop)
    }
}

fn has_override(event: &Event) -> bool {
    let given = event.validation(&settings::text("override-key", "override"));
    given.is_some_and(|given| settings::list("override-codes", "").iter().any(|code| code == given.trim()))
}

/// When it is open, in minutes of the local day.
struct Window {
    from: i64,
    to: i64,
    days: Vec<String>,
    offset: i64,
}

impl Window {
    fn of_settings() -> Result<Self, String> {
        let hours = settings::text("hours", "00:00-24:00");
        let wrong = || format!("`hours` is `{hours}`: write such as `07:00-19:30`");
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minutes(from).ok_or_else(wrong)?, minutes(to).ok_or_else(wrong)?);
        let days: Vec<_> = settings::list("days", &DAYS.join(",")).iter().map(|day| day.to_lowercase()).collect();
        if let Some(day) = days.iter().find(|day| !DAYS.contains(&day.as_str())) {
            return Err(format!("`days` has `{day}`: write such as `{}`", DAYS.join(", ")));
        }
        match settings::parsed("utc-offset", 0_i64)? {
            offset @ -720..=840 => Ok(Self { from, to, days, offset }),
            other => Err(format!("`utc-offset` is `{other}`: write minutes from -720 to 840")),
        }
    }

    /// A window over midnight belongs to the day on which it began.
    fn is_open(&self, now: SystemTime) -> bool {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let local = i64::try_from(seconds / 60).unwrap_or_default() + self.offset;
        let (day, minute) = (local.div_euclid(MINUTES), local.rem_euclid(MINUTES));
        if self.from <= self.to {
            self.opens_on(day) && (self.from..self.to).contains(&minute)
        } else {
            self.opens_on(day) && minute >= self.from || self.opens_on(day - 1) && minute < self.to
        }
    }

    fn opens_on(&self, day: i64) -> bool {
        let name = usize::try_from((day + FIRST_DAY).rem_euclid(7)).ok().and_then(|day| DAYS.get(day));
        name.is_some_and(|name| self.days.iter().any(|day| day == name))
    }
}

/// `07:30` in minutes.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours * 60 + minutes;
    ((0..60).contains(&minutes) && (0..=MINUTES).contains(&all)).then_some(all)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cogwit_sdk::testing::World;

    use super::*;

    /// Monday, 2026-11-23, at this minute of the day.
    fn monday(minute: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_392_000 + minute * 60)
    }

    fn allows(settings: &[(&str, &str)], now: SystemTime) -> bool {
        let world = settings.iter().fold(World::default().now(now), |world, (key, value)| world.setting(key, value));
        world.run(|| SignInHours::decide(Event::default().with_client_id("app"))).value.is_ok()
    }

    #[test]
    fn a_window_opens_and_closes() {
        let hours = ("hours", "07:00-19:30");
        for (minute, open) in [(419, false), (420, true), (1169, true), (1170, false)] {
            assert_eq!(allows(&[hours], monday(minute)), open, "{minute}");
        }
        assert!(!allows(&[hours, ("days", "tue, sun")], monday(600)));
        assert!(allows(&[hours, ("days", "Mon")], monday(600)));
        assert!(allows(&[hours, ("utc-offset", "60")], monday(360)));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_its_first_day() {
        let night = [("hours", "22:00-06:00"), ("days", "sun")];
        assert!(allows(&night, monday(359)) && !allows(&night, monday(360)) && !allows(&night, monday(1400)));
    }

    #[test]
    fn other_clients_are_let_through_and_nobody_is_told_who_exists() {
        let closed = [("hours", "00:00-00:00")];
        assert!(!allows(&closed, monday(0)));
        assert!(allows(&[closed[0], ("clients", "other")], monday(0)));
        let nobody = Event { user_not_found: Some(true), ..Event::default() };
        let run = World::default().setting("hours", "00:00-00:00").run(|| SignInHours::decide(nobody));
        assert_eq!(run.value.unwrap_err().message, "Sign-in is closed at this time");
    }

    #[test]
    fn a_code_opens_it_at_any_time() {
        let with = |key: &str, code: &str| {
            let closed = World::default().setting("hours", "00:00-00:00").setting("override-codes", "KEEL-88, MAST-2");
            let event = Event::default().with_validation(key, code);
            closed.run(|| SignInHours::decide(event)).value.is_ok()
        };
        assert!(with("override", "KEEL-88") && with("override", " MAST-2 "));
        assert!(!with("override", "") && !with("override", "KEEL") && !with("code", "KEEL-88"));
    }

    #[test]
    fn settings_are_checked() {
        for (key, value) in [("hours", "7-19"), ("hours", "25:00-26:00"), ("days", "monday"), ("utc-offset", "900")] {
            assert!(World::default().setting(key, value).run(SignInHours::validate).value.is_err(), "{value}");
        }
        World::default().run(SignInHours::validate).value.unwrap();
    }
}
