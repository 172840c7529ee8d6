//! Answers challenges in the user's place: with words of the command line, or by a command, such as a device that signs.

use std::time::Duration;

use super::pool::Stop;
use crate::failure::Failure;
use crate::shell::{self, MOST_OUTPUT};

/// How long a command may take for one answer: as long as Cognito's session lasts, unless the pool says otherwise.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, clap::Args)]
pub(super) struct Answers {
    /// What the user answers; repeat it for round after round, the last one counts for all that follow
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    answer: Vec<String>,
    /// A shell command that answers: it reads the public parameters as JSON, and prints the answer
    #[arg(long, value_name = "COMMAND", conflicts_with = "answer")]
    answer_command: Option<String>,
}

impl Answers {
    /// The answer of a round, the first of which is 0, to the public parameters.
    pub(super) fn of(&self, round: usize, public: &str) -> Result<String, Stop> {
        if let Some(command) = &self.answer_command {
            let failed = |reason: String| Failure::could_not_run(format!("--answer-command: {reason}"));
            return Ok(answered(command, public).map_err(failed)?);
        }
        let answer = self.answer.get(round).or(self.answer.last());
        answer.cloned().ok_or_else(|| {
            let text = "nobody answers the challenge: give --answer TEXT, or --answer-command COMMAND";
            Stop::Unfinished(Failure::could_not_run(text))
        })
    }
}

/// What a command prints, without the end of its last line.
fn answered(command: &str, public: &str) -> Result<String, String> {
    let output = shell::run(command, public.as_bytes(), PATIENCE)?;
    if output.len() == MOST_OUTPUT {
        return Err("it printed too much: let it print the answer, and nothing else".to_owned());
    }
    let text = String::from_utf8(output).map_err(|_| "it printed no UTF-8: let it print a text".to_owned())?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
