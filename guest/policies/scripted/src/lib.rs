//! Answers every trigger with what its settings say: for tests, and for seeing what Cognito does with an answer.
//!
//! **Never let it serve users**: it decides nothing.
//!
//! A setting is a member of Cognito's `response` by its path, below `claimsOverrideDetails` and `claimsAndScopeOverrideDetails`;
//! members of other triggers are left alone. With commas between its entries a setting is a list, and a path that ends before a
//! map's keys makes the empty map. `pre-token-generation-v2` takes a claim of another kind than text after a word for that kind.
//!
//! | setting | answer |
//! | --- | --- |
//! | `autoConfirmUser` = `true` | `{"autoConfirmUser":true}` |
//! | `publicChallengeParameters.nonce` = `n` | `{"publicChallengeParameters":{"nonce":"n"}}` |
//! | `userAttributesToMap`, empty | `{"userAttributesToMap":{}}` |
//! | `accessTokenGeneration.scopesToAdd` = `a/b, c/d` | `{"accessTokenGeneration":{"scopesToAdd":["a/b","c/d"]}}` |
//! | `idTokenGeneration.claimsToAddOrOverride.tier` = `integer:7` | a claim; also `boolean:`, `number:`, `list:`, `json:`, `text:` |
//! | `answerCorrect` = `private:pin, code` | whether the answer is one of these private challenge parameters |
//! | `deny` = `No` | a denial with this message |
//! | `panic` = `Oh` | a panic with this text |
//!
//! A value that cannot be read is a denial that says so.

mod answer;
mod script;

use answer::Answer;
use cogwit_sdk::verify_auth_challenge_response::{Event, Response, VerifyAuthChallengeResponse};
use cogwit_sdk::{Denial, export};
use script::{Script, entries};

/// The policy.
pub struct Scripted;
export!(
    Scripted: pre_sign_up, post_confirmation, pre_authentication, post_authentication, define_auth_challenge,
    create_auth_challenge, verify_auth_challenge_response, pre_token_generation, pre_token_generation_v2,
    user_migration, custom_message, custom_email_sender, custom_sms_sender, inbound_federation,
);

macro_rules! answers {
    ($($module:ident $answers:ident $response:ty,)+) => {
        $(
            impl cogwit_sdk::$module::$answers for Scripted {
                fn decide(_: cogwit_sdk::$module::Event) -> Result<$response, Denial> {
                    Answer::of(&Script::read()?)
                }
            }
        )+
    };
}
answers! {
    pre_sign_up PreSignUp cogwit_sdk::pre_sign_up::Response,
    post_confirmation PostConfirmation (),
    pre_authentication PreAuthentication (),
    post_authentication PostAuthentication (),
    define_auth_challenge DefineAuthChallenge cogwit_sdk::define_auth_challenge::Response,
    create_auth_challenge CreateAuthChallenge cogwit_sdk::create_auth_challenge::Response,
    pre_token_generation PreTokenGeneration cogwit_sdk::pre_token_generation::Response,
    pre_token_generation_v2 PreTokenGenerationV2 cogwit_sdk::pre_token_generation_v2::Response,
    user_migration UserMigration cogwit_sdk::user_migration::Response,
    custom_message CustomMessage cogwit_sdk::custom_message::Response,
    custom_email_sender CustomEmailSender (),
    custom_sms_sender CustomSmsSender (),
    inbound_federation InboundFederation cogwit_sdk::inbound_federation::Response,
}

impl VerifyAuthChallengeResponse for Scripted {
    fn decide(event: Event) -> Result<Response, Denial> {
        let script = Script::read()?;
        let text = script.text("answerCorrect").unwrap_or_default();
        match text.strip_prefix("private:") {
            None => Answer::of(&script),
            Some(names) => {
                let mut kept = entries(names).filter_map(|name| event.private_parameter(name));
                Ok(Response::of(kept.any(|kept| kept == event.answer())))
            }
        }
    }
}
