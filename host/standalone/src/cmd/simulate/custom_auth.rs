//! Plays a sign-in by challenges (CUSTOM_AUTH): InitiateAuth, and RespondToAuthChallenge for each answer, to the tokens.

use std::collections::BTreeMap;

use cogwit_core::event::Trigger;
use cogwit_core::text::one_line;
use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::command::EXIT_CODES;
use super::exception::Exception;
use super::options::Options;
use super::pool::{Change, Pool, Stop, json, map, map_or_null, text};
use super::response::Response;
use super::signin::{begin, finish, not_found};
use super::user::User;
use crate::failure::Failure;

/// Plays a sign-in by challenges (`CUSTOM_AUTH`), to the tokens
///
/// Fires `PreAuthentication_Authentication`; then, round by round, `DefineAuthChallenge_Authentication`,
/// `CreateAuthChallenge_Authentication` and `VerifyAuthChallengeResponse_Authentication`, until the first of them issues tokens
/// or lets the sign-in fail; then `PostAuthentication_Authentication` and `TokenGeneration_Authentication`. Passwords, answers
/// and private parameters are printed with `--show-events` alone.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXIT_CODES}

Examples:
  cogwit simulate custom-auth --answer 407182 --endpoint http://127.0.0.1:9000
  cogwit simulate custom-auth --srp --answer wrong --answer 407182
  cogwit simulate custom-auth --answer-command 'jq -r .challenge | ./device sign'"))]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) options: Options,
    #[command(flatten)]
    answers: Answers,
    /// The client begins with the password (`SRP_A`), and it is right
    #[arg(long)]
    srp: bool,
    /// The pool has no such user, and hides that (`PreventUserExistenceErrors`)
    #[arg(long)]
    user_not_found: bool,
}

/// How many challenges are answered. Cognito is not known to have such a limit; a function that never ends needs one.
const ROUNDS: usize = 10;

pub(super) fn play(args: &Args, pool: &mut Pool<'_>) -> Result<(), Stop> {
    begin(pool, args.user_not_found, map_or_null(&args.options.client_metadata))?;
    let mut signin = SignIn { args, session: Vec::new(), metadata: None };
    if args.srp {
        signin.add("SRP_A", true, None);
    }
    loop {
        match signin.define(pool)? {
            Next::Password => signin.enter_password(pool)?,
            Next::Challenge => signin.answer(pool)?,
            // What Cognito does here is not known; it can make no tokens for nobody.
            Next::Tokens if args.user_not_found => return Err(Exception::wrong_password().into()),
            Next::Tokens => return finish(pool, "TokenGeneration_Authentication", signin.metadata),
        }
    }
}

/// A sign-in on its way.
struct SignIn<'a> {
    args: &'a Args,
    /// The challenges so far, the oldest first.
    session: Vec<Challenge>,
    /// The metadata of `RespondToAuthChallenge`: that of `InitiateAuth` goes to none of the three triggers.
    metadata: Option<String>,
}

/// A challenge that is over, as events list it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Challenge {
    challenge_name: &'static str,
    challenge_result: bool,
    challenge_metadata: Option<String>,
}

enum Next {
    Password,
    Challenge,
    Tokens,
}

impl SignIn<'_> {
    fn add(&mut self, challenge_name: &'static str, challenge_result: bool, challenge_metadata: Option<String>) {
        self.session.push(Challenge { challenge_name, challenge_result, challenge_metadata });
    }

    /// Has the function choose what comes next.
    fn define(&self, pool: &mut Pool<'_>) -> Result<Next, Stop> {
        let changes = self.with_session();
        let defined: Defined =
            fire(pool, Trigger::DefineAuthChallenge, "DefineAuthChallenge_Authentication", &changes)?;
        let after_srp = self.session.last().is_some_and(|last| last.challenge_name == "SRP_A");
        match defined {
            // Which goes first of this and the tokens is not documented. This one does no harm.
            Defined { fail_authentication: Some(true), .. } => Err(Exception::wrong_password().into()),
            Defined { issue_tokens: Some(true), .. } => Ok(Next::Tokens),
            Defined { challenge_name: Some(name), .. } if name == CUSTOM => Ok(Next::Challenge),
            // Else it is PASSWORD_VERIFIER.
            Defined { .. } if after_srp => Ok(Next::Password),
            // There is no proof of a password to verify. What Cognito says to that is not known.
            Defined { .. } => Err(Exception::of_output(UNRECOGNIZABLE).into()),
        }
    }

    /// The client proves that it knows the password, which no function sees.
    fn enter_password(&mut self, pool: &mut Pool<'_>) -> Result<(), Stop> {
        self.respond(pool);
        if self.args.user_not_found {
            // Whether the function would be asked once more is not known.
            return Err(Exception::wrong_password().into());
        }
        pool.note("the password is right")?;
        self.add("PASSWORD_VERIFIER", true, None);
        Ok(())
    }

    /// Has the function make a challenge, and verify the answer.
    fn answer(&mut self, pool: &mut Pool<'_>) -> Result<(), Stop> {
        let round = self.session.iter().filter(|it| it.challenge_name == CUSTOM).count();
        if round == ROUNDS {
            let text =
                format!("the sign-in goes on after {ROUNDS} challenges: let define auth challenge come to an end");
            return Err(Stop::Unfinished(Failure::could_not_run(text)));
        }
        let created: Created =
            fire(pool, Trigger::CreateAuthChallenge, "CreateAuthChallenge_Authentication", &self.with_session())?;
        let public = json(&created.public_challenge_parameters.unwrap_or_default()).unwrap_or_default();
        pool.note(format!("the client gets {}", one_line(&public)))?;
        let answer = self.args.answers.of(round, &public)?;
        self.respond(pool);
        let private = created.private_challenge_parameters.unwrap_or_default();
        let verified = self.verify(pool, &private, &answer)?;
        pool.note(if verified { "the answer is right" } else { "the answer is wrong" })?;
        self.add(CUSTOM, verified, created.challenge_metadata);
        Ok(())
    }

    /// An answer that the function says nothing of is wrong.
    fn verify(&self, pool: &mut Pool<'_>, private: &BTreeMap<String, String>, answer: &str) -> Result<bool, Stop> {
        let changes = [
            ("request.privateChallengeParameters", json(private)),
            ("request.challengeAnswer", text(answer)),
            ("request.clientMetadata", self.metadata.clone()),
            not_found(self.args.user_not_found),
        ];
        let source = "VerifyAuthChallengeResponse_Authentication";
        let verified: Verified = fire(pool, Trigger::VerifyAuthChallengeResponse, source, &changes)?;
        Ok(verified.answer_correct == Some(true))
    }

    /// The client calls for the next step.
    fn respond(&mut self, pool: &mut Pool<'_>) {
        pool.call = "RespondToAuthChallenge";
        self.metadata = map(&self.args.options.client_metadata);
    }

    fn with_session(&self) -> [Change<'static>; 3] {
        [
            ("request.session", json(&self.session)),
            ("request.clientMetadata", self.metadata.clone()),
            not_found(self.args.user_not_found),
        ]
    }
}

/// Fires a trigger that the sign-in cannot do without.
fn fire<T: Response>(
    pool: &mut Pool<'_>,
    trigger: Trigger,
    source: &'static str,
    changes: &[Change<'_>],
) -> Result<T, Stop> {
    let wired = pool.has(trigger);
    let response = pool.fire(trigger, source, changes)?;
    if wired { Ok(response) } else { Err(Exception::of_configuration().into()) }
}

const CUSTOM: &str = "CUSTOM_CHALLENGE";
const UNRECOGNIZABLE: &str = "Unrecognizable lambda output";

/// What define auth challenge may answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Defined {
    challenge_name: Option<String>,
    issue_tokens: Option<bool>,
    fail_authentication: Option<bool>,
}

impl Response for Defined {
    /// What Cognito says where there is no next step, or a challenge that a function cannot ask for, is not known. This is what
    /// it says of everything else that it cannot use.
    fn refused(&self, _: &User) -> Option<String> {
        let over = [self.issue_tokens, self.fail_authentication].contains(&Some(true));
        let known = self.challenge_name.as_deref().is_some_and(|name| [CUSTOM, "PASSWORD_VERIFIER"].contains(&name));
        (!over && !known).then(|| UNRECOGNIZABLE.to_owned())
    }
}

/// What create auth challenge may answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Created {
    public_challenge_parameters: Option<BTreeMap<String, String>>,
    private_challenge_parameters: Option<BTreeMap<String, String>>,
    challenge_metadata: Option<String>,
}

/// What verify auth challenge response may answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Verified {
    answer_correct: Option<bool>,
}

impl Response for Created {}
impl Response for Verified {}
