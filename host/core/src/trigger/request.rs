//! Lowers what the requests of several triggers share.

use crate::event::{Event, EventError, Object, list};
use crate::run::{Challenge, GroupConfiguration, Header};

/// The header, which every typed event has.
pub(super) fn header(event: &Event<'_>) -> Header {
    let header = &event.header;
    let owned = |member: &Option<std::borrow::Cow<'_, str>>| member.as_deref().map(str::to_owned);
    Header {
        version: owned(&header.version),
        trigger_source: owned(&header.trigger_source),
        region: owned(&header.region),
        user_pool_id: owned(&header.user_pool_id),
        user_name: owned(&header.user_name),
        client_id: owned(&header.client_id),
        aws_sdk_version: owned(&header.aws_sdk_version),
    }
}

/// `request.session`: the challenges of a custom sign-in so far.
pub(super) fn session(event: &Event<'_>) -> Result<Vec<Challenge>, EventError> {
    let member = "`request.session`";
    let challenge = |json| {
        let challenge = Object::parse(json, member)?;
        Ok(Challenge {
            challenge_name: challenge.text("challengeName").unwrap_or_default().into_owned(),
            challenge_result: challenge.text("challengeResult").map(|text| text == "true"),
            challenge_metadata: challenge.text("challengeMetadata").map(Into::into),
        })
    };
    event.request_list("session")?.into_iter().map(challenge).collect()
}

/// `request.groupConfiguration`. An old page of the developer guide has it as a list of one.
pub(super) fn group_configuration(event: &Event<'_>) -> Result<Option<GroupConfiguration>, EventError> {
    let member = "`request.groupConfiguration`";
    let Some(mut json) = event.request.get("groupConfiguration").filter(|json| *json != "null") else {
        return Ok(None);
    };
    if json.starts_with('[') {
        match list(json, member)?.as_slice() {
            [] => return Ok(None),
            [one] => json = one,
            _ => {}
        }
    }
    let groups = Object::parse(json, member)?;
    let texts = |name| groups.get(name).map_or(Ok(Vec::new()), |json| texts(json, member));
    Ok(Some(GroupConfiguration {
        groups_to_override: texts("groupsToOverride")?,
        iam_roles_to_override: texts("iamRolesToOverride")?,
        preferred_role: groups.text("preferredRole").map(Into::into),
    }))
}

/// A list as texts; an item that is null is left out.
pub(super) fn texts(json: &str, member: &str) -> Result<Vec<String>, EventError> {
    let items = list(json, member)?.into_iter();
    Ok(items.filter_map(crate::event::text).map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(request: &str) -> String {
        format!(r#"{{"request":{request}}}"#)
    }

    fn groups(json: &str) -> Option<GroupConfiguration> {
        group_configuration(&Event::parse(event(&format!(r#"{{"groupConfiguration":{json}}}"#)).as_bytes()).unwrap())
            .unwrap()
    }

    #[test]
    fn groups_come_in_many_shapes() {
        assert!(groups("null").is_none() && groups("[]").is_none());
        let empty = groups("{}").unwrap();
        assert!(empty.groups_to_override.is_empty() && empty.preferred_role.is_none());
        for json in
            [r#"{"groupsToOverride":["a",null,7]}"#, r#"[{"groupsToOverride":["a",7],"iamRolesToOverride":null}]"#]
        {
            let found = groups(json).unwrap();
            assert_eq!(
                (found.groups_to_override, found.iam_roles_to_override),
                (vec!["a".to_owned(), "7".to_owned()], vec![])
            );
        }
        let text = event(r#"{"groupConfiguration":7}"#);
        assert!(group_configuration(&Event::parse(text.as_bytes()).unwrap()).is_err());
    }

    #[test]
    fn a_session_keeps_its_order_and_what_is_not_known() {
        let text = event(
            r#"{"session":[{"challengeName":"SRP_A","challengeResult":true,"challengeMetadata":null},{"challengeResult":null}]}"#,
        );
        let found = session(&Event::parse(text.as_bytes()).unwrap()).unwrap();
        let seen: Vec<_> = found.iter().map(|it| (it.challenge_name.as_str(), it.challenge_result)).collect();
        assert_eq!(seen, [("SRP_A", Some(true)), ("", None)]);
        assert_eq!(session(&Event::parse(b"{}").unwrap()).unwrap().len(), 0);
        let text = event(r#"{"session":{}}"#);
        assert!(session(&Event::parse(text.as_bytes()).unwrap()).is_err());
    }
}
