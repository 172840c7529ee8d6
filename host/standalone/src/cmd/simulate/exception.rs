//! Is what Cognito's caller sees when something went wrong: an exception and its message.

use std::fmt;

use cogwit_core::event::Trigger;
use cogwit_core::reply::{ErrorType, seen_by_caller};
use cogwit_core::text::one_line;
use serde::Serialize;

use super::hidden::Hidden;

/// Where no function answered.
const UNEXPECTED: &str = "UnexpectedLambdaException";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Exception {
    name: &'static str,
    message: String,
    /// Somebody said no: nothing broke.
    #[serde(skip)]
    pub(super) denies: bool,
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.message)
    }
}

impl Exception {
    /// The function ended with an error: a refusal, unless the error's type says that it, or what runs it, broke.
    pub(super) fn of_function(trigger: Trigger, error_type: &str, error_message: &str) -> Self {
        let of_runtime = ["Function.", "Runtime.", "Sandbox.", "Lambda."].iter().any(|it| error_type.starts_with(it));
        let message = seen_by_caller(Some(trigger), &one_line(error_message));
        Self {
            name: "UserLambdaValidationException",
            message,
            denies: !of_runtime || error_type == ErrorType::PolicyDenied.name(),
        }
    }

    /// The function could not be called, or did not answer.
    pub(super) fn of_invocation(trigger: Trigger, reason: &str) -> Self {
        let message = format!("{} invocation failed due to error {}.", trigger.cognito_name(), one_line(reason));
        Self { name: UNEXPECTED, message, denies: false }
    }

    /// The function's output is of no use.
    pub(super) fn of_output(message: impl Into<String>) -> Self {
        Self { name: "InvalidLambdaResponseException", message: message.into(), denies: false }
    }

    /// Cognito would have called a function that the pool does not have.
    pub(super) fn of_configuration() -> Self {
        let message = "null invocation failed due to configuration.".to_owned();
        Self { name: UNEXPECTED, message, denies: false }
    }

    /// Cognito's own no, whatever a function said.
    pub(super) fn of_user(name: &'static str, message: &str) -> Self {
        Self { name, message: message.to_owned(), denies: true }
    }

    /// What Cognito says itself where there is no such user.
    pub(super) fn wrong_password() -> Self {
        Self::of_user("NotAuthorizedException", "Incorrect username or password.")
    }

    /// As the users of an app client see it. That a user could not be brought in is told without the reason, be it an error or
    /// an output of no use. Of a function that did not answer no log is known: it is told as for any trigger.
    pub(super) fn seen(self, trigger: Trigger, client: &str) -> Self {
        match trigger {
            Trigger::UserMigration if self.name != UNEXPECTED => {
                let message = format!("Exception migrating user in app client {client}");
                Self { name: "UserNotFoundException", message, ..self }
            }
            _ => self,
        }
    }

    /// Without what is in the message and nobody may read.
    pub(super) fn without(self, hidden: &Hidden) -> Self {
        Self { message: hidden.mask(self.message), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cognitos() {
        for (exception, text, denies) in [
            (
                Exception::of_function(Trigger::PreSignUp, "Error", "no\u{1b}[1m"),
                "UserLambdaValidationException: PreSignUp failed with error no [1m.",
                true,
            ),
            (
                Exception::of_function(Trigger::PreTokenGenerationV2, "Runtime.ExitError", "x"),
                "UserLambdaValidationException: PreTokenGenerationV2_0 failed with error x.",
                false,
            ),
            (
                Exception::of_function(Trigger::UserMigration, "Function.PolicyDenied", "x")
                    .seen(Trigger::UserMigration, "a1"),
                "UserNotFoundException: Exception migrating user in app client a1",
                true,
            ),
            (
                Exception::of_invocation(Trigger::PreSignUp, "AccessDeniedException"),
                "UnexpectedLambdaException: PreSignUp invocation failed due to error AccessDeniedException.",
                false,
            ),
            (
                Exception::of_invocation(Trigger::UserMigration, "x").seen(Trigger::UserMigration, "a1"),
                "UnexpectedLambdaException: UserMigration invocation failed due to error x.",
                false,
            ),
        ] {
            assert_eq!((exception.to_string().as_str(), exception.denies), (text, denies));
        }
    }
}
