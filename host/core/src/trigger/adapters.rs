//! Chooses the adapter of a trigger.

use super::{Checked, Member, pre_authentication, pre_sign_up};
use crate::event::{Event, EventError, Trigger};
use crate::run::{self, Request, Response};

macro_rules! define {
    ($($variant:ident $module:ident ($response:ty),)+) => {
        /// The event in the typed form of its trigger.
        pub(crate) fn lower(trigger: Trigger, event: &Event<'_>) -> Result<Request, EventError> {
            match trigger {
                $(Trigger::$variant => Ok(Request::$variant($module::lower(event)?)),)+
                other => Err(EventError::NoInterface { trigger: other }),
            }
        }

        /// What both want, of one trigger. None where there is nothing to want.
        pub(crate) fn merge(earlier: Response, later: Response) -> Response {
            match (earlier, later) {
                $((Response::$variant(earlier), Response::$variant(later)) => {
                    Response::$variant($module::merge(earlier, later))
                })+
                // The policies of a chain answer one request, so their responses are of one trigger.
                (_, later) => later,
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
