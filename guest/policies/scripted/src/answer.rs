//! Makes the answer of each trigger from the script.

use cogwit_sdk::pre_token_generation_v2::{self as v2, AccessTokenGeneration, ClaimValue, IdTokenGeneration};
use cogwit_sdk::user_migration::{self, DeliveryMedium, FinalUserStatus, MessageAction};
use cogwit_sdk::{
    Denial, GroupOverrideDetails, create_auth_challenge, custom_message, define_auth_challenge, inbound_federation,
    pre_sign_up, pre_token_generation as v1, verify_auth_challenge_response,
};

use crate::script::{FLAGS, Script, entries, unreadable, word};

/// What a trigger's policies answer.
pub(crate) trait Answer: Sized {
    /// The answer that the script gives.
    fn of(script: &Script) -> Result<Self, Denial>;
}

impl Answer for () {
    fn of(_: &Script) -> Result<Self, Denial> {
        Ok(())
    }
}

impl Answer for pre_sign_up::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        Ok(Self {
            auto_confirm_user: script.flag("autoConfirmUser")?,
            auto_verify_email: script.flag("autoVerifyEmail")?,
            auto_verify_phone: script.flag("autoVerifyPhone")?,
        })
    }
}

impl Answer for define_auth_challenge::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        Ok(Self {
            challenge_name: script.text("challengeName"),
            issue_tokens: script.flag("issueTokens")?,
            fail_authentication: script.flag("failAuthentication")?,
        })
    }
}

impl Answer for create_auth_challenge::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        Ok(Self {
            public_challenge_parameters: script.map("publicChallengeParameters"),
            private_challenge_parameters: script.map("privateChallengeParameters"),
            challenge_metadata: script.text("challengeMetadata"),
        })
    }
}

impl Answer for verify_auth_challenge_response::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        Ok(Self { answer_correct: script.flag("answerCorrect")? })
    }
}

impl Answer for v1::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        Ok(Self {
            claims_to_add_or_override: script.map("claimsToAddOrOverride"),
            claims_to_suppress: script.list("claimsToSuppress"),
            group_override_details: groups(script),
        })
    }
}

impl Answer for v2::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        let id = |token: Script| {
            Ok(IdTokenGeneration {
                claims_to_add_or_override: claims(&token)?,
                claims_to_suppress: token.list("claimsToSuppress"),
            })
        };
        let access = |token: Script| {
            Ok(AccessTokenGeneration {
                claims_to_add_or_override: claims(&token)?,
                claims_to_suppress: token.list("claimsToSuppress"),
                scopes_to_add: token.list("scopesToAdd"),
                scopes_to_suppress: token.list("scopesToSuppress"),
            })
        };
        Ok(Self {
            id_token_generation: script.below("idTokenGeneration").map(id).transpose()?,
            access_token_generation: script.below("accessTokenGeneration").map(access).transpose()?,
            group_override_details: groups(script),
        })
    }
}

impl Answer for user_migration::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        let statuses = [("CONFIRMED", FinalUserStatus::Confirmed), ("RESET_REQUIRED", FinalUserStatus::ResetRequired)];
        let mediums = [("EMAIL", DeliveryMedium::Email), ("SMS", DeliveryMedium::Sms)];
        Ok(Self {
            user_attributes: script.map("userAttributes"),
            final_user_status: script.word("finalUserStatus", &statuses)?,
            message_action: script.word("messageAction", &[("SUPPRESS", MessageAction::Suppress)])?,
            desired_delivery_mediums: script.words("desiredDeliveryMediums", &mediums)?,
            force_alias_creation: script.flag("forceAliasCreation")?,
            enable_sms_mfa: script.flag("enableSMSMFA")?,
        })
    }
}

impl Answer for custom_message::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        Ok(Self {
            sms_message: script.text("smsMessage"),
            email_message: script.text("emailMessage"),
            email_subject: script.text("emailSubject"),
        })
    }
}

impl Answer for inbound_federation::Response {
    fn of(script: &Script) -> Result<Self, Denial> {
        Ok(Self { user_attributes_to_map: script.map("userAttributesToMap") })
    }
}

fn groups(script: &Script) -> Option<GroupOverrideDetails> {
    script.below("groupOverrideDetails").map(|groups| GroupOverrideDetails {
        groups_to_override: groups.list("groupsToOverride"),
        iam_roles_to_override: groups.list("iamRolesToOverride"),
        preferred_role: groups.text("preferredRole"),
    })
}

fn claims(token: &Script) -> Result<Option<Vec<(String, ClaimValue)>>, Denial> {
    let claim = |(name, text): (String, String)| Ok((name.clone(), value(&name, &text)?));
    token.map("claimsToAddOrOverride").map(|claims| claims.into_iter().map(claim).collect()).transpose()
}

/// A claim's value: of the kind that its first word names, else a text.
fn value(claim: &str, text: &str) -> Result<ClaimValue, Denial> {
    let (kind, rest) = text.split_once(':').unwrap_or_default();
    Ok(match kind {
        "boolean" => ClaimValue::Boolean(word(claim, rest, &FLAGS)?),
        "integer" => ClaimValue::Integer(rest.parse().map_err(|_| unreadable(claim, rest, "a whole number"))?),
        "number" => ClaimValue::Number(rest.parse().map_err(|_| unreadable(claim, rest, "a number"))?),
        "list" => ClaimValue::Strings(entries(rest).map(str::to_owned).collect()),
        "json" => ClaimValue::Json(rest.to_owned()),
        "text" => ClaimValue::String(rest.to_owned()),
        _ => ClaimValue::String(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use cogwit_sdk::create_auth_challenge::CreateAuthChallenge;
    use cogwit_sdk::inbound_federation::InboundFederation;
    use cogwit_sdk::pre_sign_up::PreSignUp;
    use cogwit_sdk::pre_token_generation_v2::PreTokenGenerationV2;
    use cogwit_sdk::testing::World;
    use cogwit_sdk::user_migration::UserMigration;
    use cogwit_sdk::verify_auth_challenge_response::VerifyAuthChallengeResponse;

    use super::*;
    use crate::Scripted;

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
        let world = world(&[("publicChallengeParameters.a.b", "1"), ("publicChallengeParametersX", "2")]);
        let answer = world.run(|| <Scripted as CreateAuthChallenge>::decide(Default::default())).value.unwrap();
        assert_eq!(answer, create_auth_challenge::Response::default().with_public("a.b", "1"));
        let world = World::default().setting("userAttributesToMap", "");
        let answer = world.run(|| <Scripted as InboundFederation>::decide(Default::default())).value.unwrap();
        assert_eq!(answer, inbound_federation::Response { user_attributes_to_map: Some(vec![]) });
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
    fn an_answer_is_one_of_the_parameters_that_are_named() {
        let event = verify_auth_challenge_response::Event::default()
            .with_private_parameter("pin", "1")
            .with_private_parameter("code", "2");
        for (setting, answer, correct) in [
            ("private:pin", "1", true),
            ("private:pin", "2", false),
            ("private:other, code", "2", true),
            ("private:other", "", false),
            ("private:", "1", false),
            ("true", "3", true),
        ] {
            let world = World::default().setting("answerCorrect", setting);
            let event = event.clone().with_answer(answer);
            let judged = world.run(|| <Scripted as VerifyAuthChallengeResponse>::decide(event)).value.unwrap();
            assert_eq!(judged.answer_correct, Some(correct), "{setting}: {answer}");
        }
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
