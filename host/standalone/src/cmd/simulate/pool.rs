//! Is the user pool that is played: it fires triggers as Cognito does, and remembers the user.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cogwit_core::event::{EditError, MemberPath, NoExample, Object, Trigger, example, pretty};
use serde::Serialize;
use serde_json::Value;

use super::super::common::config_from_env;
use super::endpoint::Endpoint;
use super::exception::Exception;
use super::function::{Answer, Function, Tried};
use super::hidden::Hidden;
use super::options::{Entry, Options};
use super::response::{Response, read};
use super::told::{Step, Told};
use super::user::User;
use crate::failure::Failure;

/// How often Cognito gives a function an event, where there is no answer.
const TRIES: u32 = 3;

/// A change of an event: where, and the new JSON. None takes the member away.
pub(super) type Change<'a> = (&'a str, Option<String>);

/// Why a flow does not go on.
pub(super) enum Stop {
    Exception(Exception),
    /// The story could not be told to its end.
    Unfinished(Failure),
    /// Not Cognito's, but ours.
    Failure(Failure),
}

impl From<Exception> for Stop {
    fn from(exception: Exception) -> Self {
        Self::Exception(exception)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

pub(super) struct Pool<'a> {
    options: &'a Options,
    function: Function,
    wired: BTreeSet<Trigger>,
    told: Told,
    hidden: Hidden,
    /// Who goes through the flow.
    pub(super) user: User,
    /// The operation of Cognito's API whose caller waits.
    pub(super) call: &'static str,
    /// Something broke, whatever came of it.
    broke: bool,
    /// Whether somebody was there.
    reached: bool,
    /// Why nobody was there.
    unreachable: Option<String>,
}

impl<'a> Pool<'a> {
    /// Gets everything ready for a flow.
    pub(super) fn open(flow: &'static str, options: &'a Options) -> Result<Self, Failure> {
        let config = config_from_env()?;
        let (function, answered) = match &options.endpoint {
            Some(address) => {
                let endpoint = Endpoint::new(address, &options.function, config.token.as_deref())?;
                (Function::There(endpoint), Trigger::all().collect())
            }
            None => {
                let set = options.set.admit(&config)?;
                let answered = set.answers();
                (Function::Here(Box::new(set)), answered)
            }
        };
        let wired = options.wired.as_ref().map_or(answered, |wired| wired.iter().copied().collect());
        let hidden = match &function {
            Function::Here(set) => Hidden::new(set.secrets()),
            Function::There(_) => Hidden::default(),
        };
        let told = Told::begin(flow, options, &function)?;
        Ok(Self {
            user: User::new(options),
            hidden,
            call: "",
            broke: false,
            reached: false,
            unreachable: None,
            options,
            function,
            wired,
            told,
        })
    }

    /// Whether the pool calls a function for a trigger.
    pub(super) fn has(&self, trigger: Trigger) -> bool {
        self.wired.contains(&trigger)
    }

    /// Tells what happens beside the triggers.
    pub(super) fn note(&mut self, text: impl AsRef<str>) -> Result<(), Stop> {
        Ok(self.told.note(&self.hidden.mask(text.as_ref().to_owned()))?)
    }

    /// Fires a trigger: the event goes to the function until there is an answer, and the answer's response is read. A trigger
    /// that is not wired changes nothing.
    pub(super) fn fire<T: Response>(
        &mut self,
        trigger: Trigger,
        source: &'static str,
        changes: &[Change<'_>],
    ) -> Result<T, Stop> {
        if !self.has(trigger) {
            self.told.not_wired(source)?;
            return Ok(T::default());
        }
        let event = self.event(source, changes)?;
        let since = Instant::now();
        let (tried, tries) = self.ask(&event)?;
        let took = since.elapsed();
        let output = tried.answer.output(trigger);
        self.hidden.learn(event.as_bytes());
        self.hidden.learn(output.as_ref().copied().unwrap_or_default());
        let result = output.clone().and_then(|output| read(&event, output, &self.user));
        let result = result.map_err(|it| it.seen(trigger, &self.options.client_id).without(&self.hidden));
        let exception = result.as_ref().err();
        self.broke |= exception.is_some_and(|it| !it.denies) || tried.report.as_ref().is_some_and(|it| it.broke);
        let response = output.ok().filter(|_| tried.report.is_none()).and_then(|output| changed(&event, output));
        let (event, tried, hidden) = (&event, &tried, &self.hidden);
        self.told.step(&Step { source, trigger, tries, took, exception, response, event, tried, hidden })?;
        Ok(result?)
    }

    /// Gives the function the same event until there is an answer, or Cognito gives up.
    fn ask(&mut self, event: &str) -> Result<(Tried, u32), Failure> {
        let mut tries = 1;
        loop {
            let tried = self.function.invoke(event, self.options.patience)?;
            match &tried.answer {
                Answer::NoConnection(reason) => self.unreachable = Some(reason.clone()),
                _ => self.reached = true,
            }
            if tries == TRIES || !tried.answer.is_retried() {
                return Ok((tried, tries));
            }
            tries += 1;
        }
    }

    /// The event that Cognito sends: the source's example, with this pool, client and user.
    fn event(&self, source: &str, changes: &[Change<'_>]) -> Result<String, Failure> {
        let options = self.options;
        let region = options.pool_id.split('_').next().unwrap_or_default();
        let own = [
            ("region", text(region)),
            ("userPoolId", text(&options.pool_id)),
            ("userName", text(&self.user.name)),
            ("callerContext.clientId", text(&options.client_id)),
            ("request.userAttributes", json(&self.user.attributes())),
        ];
        let begun = example(source).map_err(|error: NoExample| Failure::could_not_run(error))?.to_owned();
        let changed = own.into_iter().chain(changes.iter().cloned()).try_fold(begun, |event, (path, json)| {
            let path: MemberPath = path.parse()?;
            json.map_or_else(|| path.remove(&event), |json| path.set(&event, &json))
        });
        Ok(pretty(&changed.map_err(|error: EditError| Failure::could_not_run(error))?))
    }

    /// Tells how the flow ended. True: something broke on the way.
    pub(super) fn end(self, exception: Option<&Exception>) -> Result<bool, Failure> {
        self.told.end(self.call, exception, self.user.status)?;
        match self.unreachable.filter(|_| !self.reached) {
            Some(reason) => Err(Failure::could_not_run(format!(
                "{} cannot be reached: {reason}; start it, such as by `cogwit serve`, or correct --endpoint",
                self.function
            ))),
            None => Ok(self.broke),
        }
    }
}

/// A text of an event.
pub(super) fn text(text: &str) -> Option<String> {
    Some(Value::from(text).to_string())
}

/// Anything else of an event.
pub(super) fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// A map of an event. Where the call gave nothing, it is absent.
pub(super) fn map(entries: &[Entry]) -> Option<String> {
    let map: BTreeMap<_, _> = entries.iter().map(|(name, value)| (name, value)).collect();
    json(&map).filter(|_| !entries.is_empty())
}

/// A map of an event. Where the call gave nothing, it is null.
pub(super) fn map_or_null(entries: &[Entry]) -> Option<String> {
    map(entries).or_else(|| Some("null".to_owned()))
}

/// The response of an output, where it is not the one that was sent.
fn changed(event: &str, output: &[u8]) -> Option<Value> {
    let response = |text: &str| serde_json::from_str::<Value>(Object::parse(text, "it").ok()?.get("response")?).ok();
    let (sent, got) = (response(event), response(std::str::from_utf8(output).ok()?));
    got.filter(|got| sent.as_ref() != Some(got))
}
