//! Tells each step of a flow: as text once it is done, or all of them as one JSON object.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use cogwit_core::event::Trigger;
use cogwit_core::text::one_line;
use serde_json::{Value, json};

use super::super::common::Format;
use super::exception::Exception;
use super::function::{Answer, Function, Tried};
use super::hidden::Hidden;
use super::options::Options;
use crate::failure::Failure;
use crate::output::{data, out, styled};

/// A trigger that was fired.
pub(super) struct Step<'a> {
    pub(super) source: &'static str,
    pub(super) trigger: Trigger,
    pub(super) tries: u32,
    pub(super) took: Duration,
    pub(super) exception: Option<&'a Exception>,
    /// The response, where no report tells it.
    pub(super) response: Option<Value>,
    pub(super) event: &'a str,
    pub(super) tried: &'a Tried,
    /// What is not shown but in the events themselves.
    pub(super) hidden: &'a Hidden,
}

impl Step<'_> {
    /// In the words of a decision's report, whoever decided.
    fn decision(&self) -> (&'static str, AnsiColor) {
        match self.exception {
            None => ("allow", AnsiColor::Green),
            Some(exception) if exception.denies => ("deny", AnsiColor::Yellow),
            Some(_) => ("fault", AnsiColor::Red),
        }
    }

    /// What the function answered, or why it did not.
    fn reply(&self) -> Result<String, &str> {
        match &self.tried.answer {
            Answer::Output(output) => Ok(String::from_utf8_lossy(output).into_owned()),
            Answer::FunctionError { error_type, error_message } => {
                Ok(json!({ "errorType": error_type, "errorMessage": error_message }).to_string())
            }
            Answer::Silence(reason) | Answer::NoConnection(reason) | Answer::Refused(reason) => Err(reason),
        }
    }

    fn shown(&self, json: Option<Value>) -> Option<Value> {
        json.map(|json| self.hidden.mask_json(json))
    }

    fn text(&self, number: usize, show_events: bool) -> String {
        let (word, color) = self.decision();
        let (decision, tries) = (styled(word, color), if self.tries == 1 { "try" } else { "tries" });
        let millis = self.took.as_millis();
        let mut text = format!("{number}  {}  {decision}  ({} {tries}, {millis} ms)\n", self.source, self.tries);
        let mut add = |lines: &str| lines.lines().for_each(|line| text.push_str(&format!("   {line}\n")));
        if let Some(report) = &self.tried.report {
            add(&self.hidden.mask(report.text.clone()));
        }
        if let Some(response) = self.shown(self.response.clone()) {
            add(&format!("  response = {}", one_line(&response.to_string())));
        }
        if let Err(reason) = self.reply() {
            add(&format!("  {}: {}", styled("error", AnsiColor::Red), one_line(reason)));
        }
        if show_events {
            // Line by line: whoever wrote it may steer no terminal.
            for (name, json) in [("event", self.event), ("reply", &self.reply().unwrap_or_default())] {
                add(&format!("{name}:"));
                json.lines().for_each(|line| add(&one_line(line)));
            }
        }
        text
    }

    fn json(&self, number: usize, show_events: bool) -> Value {
        let mut step = json!({
            "number": number,
            "source": self.source,
            "trigger": self.trigger.name(),
            "wired": true,
            "decision": self.decision().0,
            "tries": self.tries,
            "millis": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "exception": self.exception,
            "error": self.reply().err(),
            "response": self.shown(self.response.clone()),
            "report": self.shown(self.tried.report.as_ref().and_then(|it| serde_json::from_str(&it.json).ok())),
        });
        if let Some(step) = step.as_object_mut().filter(|_| show_events) {
            step.extend([("event".to_owned(), self.event.into()), ("reply".to_owned(), self.reply().ok().into())]);
        }
        step
    }
}

/// What was told so far.
pub(super) struct Told {
    format: Format,
    show_events: bool,
    /// How many triggers came by.
    triggers: usize,
    document: Value,
    steps: Vec<Value>,
}

impl Told {
    pub(super) fn begin(flow: &'static str, options: &Options, function: &Function) -> Result<Self, Failure> {
        let (user, pool) = (&options.user, &options.pool_id);
        let document = json!({ "flow": flow, "user": user, "userPoolId": pool, "by": function.to_string() });
        let (format, show_events) = (options.format, options.show_events);
        let told = Self { format, show_events, triggers: 0, document, steps: Vec::new() };
        let mut head = format!("{flow} of `{}` in the pool `{pool}`, by {function}\n", one_line(user));
        if let Function::Here(set) = function {
            let warning = styled("warning", AnsiColor::Yellow);
            set.warnings.iter().for_each(|finding| head.push_str(&format!("{warning}: {finding}\n")));
        }
        told.print(&head)?;
        Ok(told)
    }

    pub(super) fn step(&mut self, step: &Step<'_>) -> Result<(), Failure> {
        self.triggers += 1;
        self.steps.push(step.json(self.triggers, self.show_events));
        self.print(&step.text(self.triggers, self.show_events))
    }

    pub(super) fn not_wired(&mut self, source: &'static str) -> Result<(), Failure> {
        self.triggers += 1;
        self.steps.push(json!({ "number": self.triggers, "source": source, "wired": false }));
        let dim = Style::new().dimmed();
        self.print(&format!("{dim}{}  {source}  not wired{dim:#}\n", self.triggers))
    }

    pub(super) fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.steps.push(json!({ "note": text }));
        self.print(&format!("   {text}\n"))
    }

    /// Tells what the caller sees, and what became of the user.
    pub(super) fn end(
        mut self,
        call: &str,
        exception: Option<&Exception>,
        status: Option<&str>,
    ) -> Result<(), Failure> {
        if self.format == Format::Json {
            let outcome = json!({ "call": call, "exception": exception, "userStatus": status });
            if let Some(document) = self.document.as_object_mut() {
                document.extend([("steps".to_owned(), self.steps.into()), ("outcome".to_owned(), outcome)]);
            }
            return data(&format!("{}\n", self.document)).map_err(Failure::unwritable);
        }
        let sees = match exception {
            None => styled("success", AnsiColor::Green),
            Some(exception) => styled(&exception.to_string(), AnsiColor::Red),
        };
        let user = status.map_or_else(|| "there is no such user".to_owned(), |status| format!("the user is {status}"));
        self.print(&format!("the caller of {call} sees: {sees}\n{user}\n"))
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Text => out(text).map_err(Failure::unwritable),
            Format::Json => Ok(()),
        }
    }
}
