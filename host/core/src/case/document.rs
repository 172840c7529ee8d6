//! Reads a file of cases.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::Deserialize;

use super::Expect;
use super::json::Json;
use crate::event::{MemberPath, Object, Trigger, example};
use crate::policy::{Capability, Mode, SECRET_PREFIX, SettingValue};
use crate::reading;
use crate::store::{Package, Side};

/// One case: an event, what decides it, and what is expected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// What it shows.
    pub name: Option<String>,

    /// The policy set, relative to the case's file. Default: the one that lies beside or above the file.
    pub set: Option<String>,
    /// Only these policies of the set.
    pub policies: Option<Vec<String>>,
    /// In place of the set's policies: bare components, relative to the set, or to the case's file where there is no set.
    pub components: Option<Vec<String>>,
    /// What stands in for one policy of the set.
    pub candidate: Option<Candidate>,
    /// Settings over those of the set, by policy.
    #[serde(default)]
    pub settings: BTreeMap<String, BTreeMap<String, SettingValue>>,
    /// Capabilities beside those that the set grants, by policy.
    #[serde(default)]
    pub capabilities: BTreeMap<String, BTreeSet<Capability>>,
    /// The variables that settings refer to.
    #[serde(default)]
    pub env: BTreeMap<String, String>,

    event: Option<String>,
    event_file: Option<String>,
    source: Option<String>,
    #[serde(default)]
    without: Vec<String>,
    with: Option<Json>,
    /// What the file takes away and sets for every case, which comes first.
    #[serde(skip)]
    below: (Vec<String>, Option<Json>),
    /// The trigger of an event that does not say it.
    #[serde(default, deserialize_with = "trigger")]
    pub trigger: Option<Trigger>,
    /// The time that policies see. Default: the time as it is.
    #[serde(default, deserialize_with = "time")]
    pub now: Option<SystemTime>,
    /// Where random numbers start. Default: the operating system's.
    pub seed: Option<u64>,

    /// The side that it is about, where candidates answer a part of the users. Default: it has to hold for both.
    pub side: Option<Side>,

    /// What is expected.
    #[serde(default)]
    pub expect: Expect,

    #[serde(default)]
    case: Vec<Self>,
    /// The event, made or read.
    #[serde(skip)]
    pub(super) bytes: Vec<u8>,
}

/// A component that stands in for that of a policy.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The policy.
    pub policy: String,
    /// The component's file, relative to the set.
    pub component: String,
    /// Its settings. Default: those of the policy.
    pub settings: Option<BTreeMap<String, SettingValue>>,
}

/// The cases of one file.
#[derive(Debug, Clone, Default)]
pub struct CaseFile {
    /// Those that can be run, each with its place in the file, from 1.
    pub cases: Vec<(usize, Case)>,
    /// What is wrong with the file.
    pub errors: Vec<String>,
    /// The files that it names for events and replies, relative to its own, whether they could be read or not.
    pub files: BTreeSet<String>,
}

impl CaseFile {
    /// Reads a file of cases. `read` gives the files that it names.
    ///
    /// Keys at the top hold for every `[[case]]`; a file without any is one case itself. What cannot be read stands in the
    /// errors, and the rest can be run.
    pub fn parse(text: &str, read: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Self {
        let (top, mut errors) = reading::read::<Case>(text);
        let Some(mut top) = top else { return Self { errors, ..Self::default() } };
        let inside = std::mem::take(&mut top.case);
        let written = match inside.is_empty() {
            true => vec![top],
            false => inside.into_iter().map(|case| case.over(&top)).collect(),
        };
        let (mut cases, mut files) = (Vec::new(), BTreeSet::new());
        for (place, mut case) in (1..).zip(written) {
            files.extend(case.event_file.iter().chain(&case.expect.reply_file).cloned());
            match case.complete(read) {
                Ok(()) => cases.push((place, case)),
                Err(error) => errors.push(format!("{}: {error}", case.title(place))),
            }
        }
        Self { cases, errors, files }
    }
}

impl Case {
    /// What the case is called: by its name, else by its place in the file.
    pub fn title(&self, place: usize) -> String {
        self.name.as_deref().map_or_else(|| format!("case {place}"), crate::text::one_line)
    }

    /// This over `below`: what is not named here is as there.
    fn over(self, below: &Self) -> Self {
        let below = below.clone();
        let mut settings = below.settings;
        for (policy, own) in self.settings {
            settings.entry(policy).or_default().extend(own);
        }
        let mut capabilities = below.capabilities;
        for (policy, own) in self.capabilities {
            capabilities.entry(policy).or_default().extend(own);
        }
        // Of the three ways to say the event, one of its own replaces the one below.
        let own_event = self.event.is_some() || self.event_file.is_some() || self.source.is_some();
        let event = |own: Option<String>, below: Option<String>| if own_event { own } else { below };
        Self {
            name: self.name.or(below.name),
            set: self.set.or(below.set),
            policies: self.policies.or(below.policies),
            components: self.components.or(below.components),
            candidate: self.candidate.or(below.candidate),
            settings,
            capabilities,
            env: below.env.into_iter().chain(self.env).collect(),
            event: event(self.event, below.event),
            event_file: event(self.event_file, below.event_file),
            source: event(self.source, below.source),
            without: self.without,
            with: self.with,
            below: (below.without, below.with),
            trigger: self.trigger.or(below.trigger),
            now: self.now.or(below.now),
            seed: self.seed.or(below.seed),
            side: self.side.or(below.side),
            expect: self.expect.over(&below.expect),
            case: self.case,
            bytes: Vec::new(),
        }
    }

    /// Makes the event, reads the files, and looks for what the types alone do not say.
    fn complete(&mut self, read: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<(), String> {
        if !self.case.is_empty() {
            return Err("a case cannot hold cases: move them to the top of the file".to_owned());
        }
        match self.expect.decision.as_deref() {
            None if self.expect == Expect::default() => {
                return Err("it expects nothing: write `expect = { decision = \"allow\" }`".to_owned());
            }
            None => return Err("`expect` has no `decision`: write allow, deny, fault or event-refused".to_owned()),
            Some(word) if !Expect::DECISIONS.contains(&word) => {
                return Err(format!("`{word}` is no decision: write allow, deny, fault or event-refused"));
            }
            Some(_) => {}
        }
        let wanted = [("response", &self.expect.response), ("exact-response", &self.expect.exact_response)];
        for (key, json) in wanted.into_iter().filter_map(|(key, json)| Some((key, json.as_ref()?))) {
            let comparable = serde_json::from_str::<serde_json::Value>(json.text());
            comparable.map_err(|error| {
                format!("`{key}` cannot be compared: {error}; use `reply`, which is compared as bytes")
            })?;
        }
        if let Some(name) = self.env.keys().find(|name| !name.starts_with(SECRET_PREFIX)) {
            return Err(format!(
                "`env` has `{name}`, but settings only refer to names that begin with `{SECRET_PREFIX}`"
            ));
        }
        self.bytes = self.make_event(read)?;
        if let Some(file) = &self.expect.reply_file {
            self.expect.reply_bytes = Some(read(file)?);
        }
        Ok(())
    }

    fn make_event(&self, read: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<Vec<u8>, String> {
        let bytes = match (&self.event, &self.event_file, &self.source) {
            (Some(text), None, None) => text.clone().into_bytes(),
            (None, Some(file), None) => read(file)?,
            (None, None, Some(source)) => example(source).map_err(|error| error.to_string())?.as_bytes().to_vec(),
            (None, None, None) => {
                return Err("it has no event: write `source`, `event` or `event-file`".to_owned());
            }
            _ => return Err("it has more than one event: keep one of `source`, `event` and `event-file`".to_owned()),
        };
        let (without, with) = &self.below;
        let edits = [(without, with), (&self.without, &self.with)];
        if edits.iter().all(|(without, with)| without.is_empty() && with.is_none()) {
            return Ok(bytes);
        }
        let not_utf_8 = |_| "`with` and `without` need an event that is UTF-8".to_owned();
        let mut text = String::from_utf8(bytes).map_err(not_utf_8)?;
        for (without, with) in edits {
            for path in without {
                let path: MemberPath = path.parse().map_err(|error| format!("`without`: {error}"))?;
                text = path.remove(&text).map_err(|error| format!("`without`: {error}"))?;
            }
            if let Some(with) = with {
                let no_object = |_| "`with` is no object: write a table of paths and values".to_owned();
                let with = Object::parse(with.text(), "with").map_err(no_object)?;
                for (path, value) in with.iter() {
                    let path: MemberPath = path.parse().map_err(|error| format!("`with`: {error}"))?;
                    text = path.merge(&text, value).map_err(|error| format!("`with`: {error}"))?;
                }
            }
        }
        Ok(text.into_bytes())
    }

    /// The event that is decided.
    pub fn event(&self) -> &[u8] {
        &self.bytes
    }

    /// Lays the case's choice of policies, its settings and its capabilities over a set that was read.
    ///
    /// # Errors
    ///
    /// Where it names a policy that the set does not have.
    pub fn lay_over(&self, package: &mut Package) -> Result<(), String> {
        let document = &mut package.document;
        for (policy, settings) in &self.settings {
            document.policy(policy)?.settings.extend(settings.clone());
        }
        for (policy, capabilities) in &self.capabilities {
            document.policy(policy)?.capabilities.extend(capabilities);
        }
        if let Some(chosen) = &self.policies {
            for name in chosen {
                document.policy(name)?;
            }
            document.policies.retain(|policy| chosen.contains(&policy.name));
            // Who only looks on answers here: a case is about what a policy says.
            document.policies.iter_mut().for_each(|policy| policy.mode = Mode::Enforce);
        }
        Ok(())
    }

    /// Whether the set alone decides the case, without anything of the case's laid over it.
    pub fn is_of_the_set(&self) -> bool {
        self.policies.is_none() && self.settings.is_empty() && self.capabilities.is_empty() && self.env.is_empty()
    }
}

fn trigger<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Trigger>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}

fn time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let wrong = |_| serde::de::Error::custom(format!("`{written}` is no time: write one such as 2026-11-22T12:00:00Z"));
    humantime::parse_rfc3339_weak(&written).map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Source;

    fn read(text: &str) -> CaseFile {
        CaseFile::parse(text, &|name| match name {
            "event.json" => Ok(b"{\"userName\":\"filed\"}".to_vec()),
            "bytes" => Ok(b"\xff".to_vec()),
            _ => Err(format!("no `{name}`")),
        })
    }

    fn events(text: &str) -> Vec<String> {
        let CaseFile { cases, errors, .. } = read(text);
        assert_eq!(errors, [""; 0]);
        cases.iter().map(|(_, case)| String::from_utf8_lossy(case.event()).into_owned()).collect()
    }

    #[test]
    fn a_file_is_one_case_or_those_within_it() {
        let one = read("name = 'a\\nb'\nevent = '{}'\nexpect.decision = 'allow'");
        assert_eq!(one.cases.len(), 1);
        assert_eq!(one.cases[0].1.title(1), "a\\nb");
        let CaseFile { cases, errors, .. } = read(
            "event = '{}'\n[[case]]\n[[case]]\nname = 'b'\nexpect.decision = 'deny'\n[[case]]\nexpect.decision = 'fault'",
        );
        assert_eq!(errors, ["case 1: it expects nothing: write `expect = { decision = \"allow\" }`"]);
        let titles: Vec<_> = cases.iter().map(|(place, case)| case.title(*place)).collect();
        assert_eq!(titles, ["b", "case 3"]);
    }

    #[test]
    fn an_event_of_the_case_replaces_that_of_the_file_whatever_way_it_is_said() {
        let text = "event = '{\"userName\":\"top\"}'\nexpect.decision = 'allow'\n[[case]]\n[[case]]\nevent-file = 'event.json'\n\
                    [[case]]\nsource = 'PreSignUp_SignUp'\n";
        let events = events(text);
        assert_eq!(events[..2], [r#"{"userName":"top"}"#, r#"{"userName":"filed"}"#]);
        assert!(events[2].contains("PreSignUp_SignUp"));
    }

    #[test]
    fn the_files_that_are_named_are_known_even_if_they_are_not_there() {
        let text = "expect = { decision = 'allow', reply-file = 'a' }\n[[case]]\nevent-file = 'b'\n[[case]]\nevent-file = 'bytes'\n\
                    without = ['c']";
        let CaseFile { cases, errors, files } = read(text);
        assert!(cases.is_empty());
        assert_eq!(errors, ["case 1: no `b`", "case 2: `with` and `without` need an event that is UTF-8"]);
        assert_eq!(files.into_iter().collect::<Vec<_>>(), ["a", "b", "bytes"]);
    }

    #[test]
    fn a_case_is_laid_over_its_set() {
        let text = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'a'\ncomponent = 'a.wasm'\nsettings = { x = 1, y = 2 }\n\
                    capabilities = ['clock']\n[[policy]]\nname = 'b'\ncomponent = 'b.wasm'\n";
        let package = Source::Embedded { document: text, components: &[] }.read().unwrap();
        let laid = |lines: &str| {
            let CaseFile { mut cases, errors, .. } =
                read(&format!("event = '{{}}'\nexpect.decision = 'allow'\n{lines}"));
            assert_eq!(errors, [""; 0]);
            let mut package = package.clone();
            let (_, case) = cases.remove(0);
            case.lay_over(&mut package).map(|()| (case.is_of_the_set(), package.document.policies))
        };
        let (of_the_set, policies) = laid("").unwrap();
        assert!(of_the_set && policies == package.document.policies);
        let (of_the_set, policies) = laid("settings.a.y = 3\ncapabilities.a = ['random']\npolicies = ['a']").unwrap();
        assert!(!of_the_set);
        let [policy] = policies.as_slice() else { panic!("one policy") };
        let settings: Vec<_> = policy.settings.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        let plain = |text: &str| SettingValue::Text(text.to_owned());
        assert_eq!(settings, [("x", plain("1")), ("y", plain("3"))]);
        assert_eq!(policy.capabilities, BTreeSet::from([Capability::Clock, Capability::Random]));
        for lines in ["settings.c.x = 1", "capabilities.c = []", "policies = ['a', 'c']"] {
            assert_eq!(laid(lines).unwrap_err(), "no policy has the name `c`, the set has `a`, `b`");
        }
    }

    #[test]
    fn times_are_read_with_and_without_quotes() {
        let noon = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_348_800);
        for now in ["2026-11-22T12:00:00Z", "'2026-11-22T12:00:00Z'", "2026-11-22 12:00:00", "2026-11-22T12:00:00.000Z"]
        {
            let file = read(&format!("event = '{{}}'\nexpect.decision = 'allow'\nnow = {now}"));
            assert_eq!(file.cases[0].1.now, Some(noon), "{now}: {:?}", file.errors);
        }
        let errors = read("event = '{}'\nexpect.decision = 'allow'\nnow = 2026-11-22").errors;
        assert!(errors[0].ends_with("is no time: write one such as 2026-11-22T12:00:00Z"), "{errors:?}");
    }
}
