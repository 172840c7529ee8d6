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
//! | `deny` = `No` | a denial with this message |
//! | `panic` = `Oh` | a panic with this text |
//!
//! A value that cannot be read is a denial that says so.

mod answer;
mod script;

use answer::Answer;
use cogwit_sdk::{Denial, export};
use script::Script;

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
    verify_auth_challenge_response VerifyAuthChallengeResponse cogwit_sdk::verify_auth_challenge_response::Response,
    pre_token_generation PreTokenGeneration cogwit_sdk::pre_token_generation::Response,
    pre_token_generation_v2 PreTokenGenerationV2 cogwit_sdk::pre_token_generation_v2::Response,
    user_migration UserMigration cogwit_sdk::user_migration::Response,
    custom_message CustomMessage cogwit_sdk::custom_message::Response,
    custom_email_sender CustomEmailSender (),
    custom_sms_sender CustomSmsSender (),
    inbound_federation InboundFederation cogwit_sdk::inbound_federation::Response,
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::pre_sign_up::{self, PreSignUp};
    use cogwit_sdk::pre_token_generation_v2::{self as v2, AccessTokenGeneration, ClaimValue, PreTokenGenerationV2};
    use cogwit_sdk::testing::World;
    use cogwit_sdk::user_migration::{self, DeliveryMedium, MessageAction, UserMigration};
    use cogwit_sdk::{create_auth_challenge as create, inbound_federation as federation};

    use super::*;

    fn world(settings: &[(&str, &str)]) -> World {
        settings.iter().fold(World::default(), |world, (path, value)| world.setting(path, value))
    }

    #[test]
    fn members_are_set_as_the_settings_say_and_no_others() {
        let answer = |world: World| world.run(|| <Scripted as PreSignUp>::decide(Default::default())).value.unwrap();
        let confirmed = pre_sign_up::Response { auto_confirm_user: Some(true), ..Default::default() };
        assert_eq!(answer(world(&[("autoConfirmUser", "true"), ("issueTokens", "true")])), confirmed);
        assert_eq!(answer(World::default()), pre_sign_up::Response::default());
    }

    #[test]
    fn maps_and_lists_are_made_of_paths_and_commas() {
        use create::CreateAuthChallenge;
        let world = world(&[("publicChallengeParameters.a.b", "1"), ("publicChallengeParametersX", "2")]);
        let answer = world.run(|| <Scripted as CreateAuthChallenge>::decide(Default::default())).value.unwrap();
        assert_eq!(answer, create::Response::default().with_public("a.b", "1"));
        use federation::InboundFederation;
        let world = World::default().setting("userAttributesToMap", "");
        let answer = world.run(|| <Scripted as InboundFederation>::decide(Default::default())).value.unwrap();
        assert_eq!(answer, federation::Response { user_attributes_to_map: Some(vec![]) });
        let world =
            World::default().setting("desiredDeliveryMediums", "EMAIL, SMS").setting("messageAction", "SUPPRESS");
        let answer = world.run(|| <Scripted as UserMigration>::decide(Default::default())).value.unwrap();
        let expected = user_migration::Response {
            desired_delivery_mediums: Some(vec![DeliveryMedium::Email, DeliveryMedium::Sms]),
            message_action: Some(MessageAction::Suppress),
            ..Default::default()
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn a_claim_has_the_kind_that_its_first_word_names() {
        let kinds = [
            ("a", "plain: text", ClaimValue::from("plain: text")),
            ("b", "text:json:{}", ClaimValue::from("json:{}")),
            ("c", "integer:9223372036854775807", ClaimValue::Integer(i64::MAX)),
            ("d", "number:0.5", ClaimValue::Number(0.5)),
            ("e", "boolean:true", ClaimValue::Boolean(true)),
            ("f", "list:x, y z", ClaimValue::Strings(vec!["x".to_owned(), "y z".to_owned()])),
            ("g", "json:{ }", ClaimValue::Json("{ }".to_owned())),
        ];
        let paths = kinds.each_ref().map(|(name, _, _)| format!("accessTokenGeneration.claimsToAddOrOverride.{name}"));
        let world = paths.iter().zip(&kinds).fold(World::default(), |world, (path, kind)| world.setting(path, kind.1));
        let answer = world.run(|| <Scripted as PreTokenGenerationV2>::decide(v2::Event::default())).value.unwrap();
        let claims = kinds.into_iter().map(|(name, _, value)| (name.to_owned(), value)).collect();
        let token = AccessTokenGeneration { claims_to_add_or_override: Some(claims), ..Default::default() };
        assert_eq!(answer, v2::Response { access_token_generation: Some(token), ..Default::default() });
    }

    #[test]
    fn it_refuses_and_breaks_as_it_is_told_to_and_what_it_cannot_read() {
        let message =
            |world: World| world.run(|| <Scripted as PreSignUp>::decide(Default::default())).value.unwrap_err().message;
        assert_eq!(message(world(&[("deny", "No"), ("autoConfirmUser", "true")])), "No");
        assert_eq!(message(world(&[("autoConfirmUser", "yes")])), "`autoConfirmUser` is `yes`: write true or false");
        let world = world(&[("panic", "Oh"), ("deny", "No")]);
        std::panic::catch_unwind(|| message(world)).unwrap_err();
    }
}
