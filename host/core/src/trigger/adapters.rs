//! Chooses the adapter of a trigger.

use super::{
    Checked, Conflict, Member, create_auth_challenge, custom_email_sender, custom_message, custom_sms_sender,
    define_auth_challenge, inbound_federation, post_authentication, post_confirmation, pre_authentication, pre_sign_up,
    pre_token_generation, pre_token_generation_v2, user_migration, verify_auth_challenge_response,
};
use crate::event::{Event, EventError, Trigger};
use crate::run::{self, Request, Response};

macro_rules! define {
    ($($variant:ident $module:ident ($response:ty),)+) => {
        /// The event in the typed form of its trigger.
        pub(crate) fn lower(trigger: Trigger, event: &Event<'_>) -> Result<Request, EventError> {
            match trigger {
                $(Trigger::$variant => Ok(Request::$variant($module::lower(event)?)),)+
            }
        }

        /// What both want, of one trigger; or the member over which they cannot agree.
        pub(crate) fn merge(earlier: Response, later: Response) -> Result<Response, Conflict> {
            match (earlier, later) {
                $((Response::$variant(earlier), Response::$variant(later)) => {
                    $module::merge(earlier, later).map(Response::$variant)
                })+
                // The policies of a chain answer one request, so their responses are of one trigger.
                (_, later) => Ok(later),
            }
        }

        /// What is wanted, as members of `response`.
        pub(crate) fn members(response: &Response) -> Vec<Member> {
            match response {
                $(Response::$variant(response) => $module::members(response),)+
            }
        }

        /// Holds what is wanted against Cognito's rules.
        pub(crate) fn check(event: &Event<'_>, response: &Response) -> Checked {
            match response {
                $(Response::$variant(response) => $module::check(event, response),)+
            }
        }
    };
}
run::interfaces!(define);
