//! Tells what is different between two releases: policy by policy, key by key, whatever keys there are.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::AnsiColor;
use cogwit_core::release::Release;
use cogwit_core::text::one_line;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::styled;

/// One thing that is different.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    /// The policy that it concerns; none: the whole set.
    pub(crate) policy: Option<String>,
    /// The key, with dots between its parts. Empty: the policy itself.
    pub(crate) key: String,
    /// What it was; none: it was not there.
    pub(crate) before: Option<Value>,
    /// What it is; none: it is gone.
    pub(crate) after: Option<Value>,
}

/// What is different between two releases. Machine code only counts where both have been published, since the other has none yet.
pub(crate) fn changes(before: &Release, after: &Release, both_published: bool) -> Vec<Change> {
    let (before, after) = (Parts::of(before), Parts::of(after));
    let mut found = Vec::new();
    walk(None, "", &before.set, &after.set, &mut found);
    let names: BTreeSet<_> = before.policies.keys().chain(after.policies.keys()).collect();
    for name in names {
        let (before, after) = (before.policies.get(name), after.policies.get(name));
        match (before, after) {
            (Some(before), Some(after)) => walk(Some(name), "", before, after, &mut found),
            _ => found.push(change(Some(name), "", before, after)),
        }
    }
    let kept = |order: &[String], others: &Parts| -> Vec<Value> {
        order.iter().filter(|name| others.policies.contains_key(*name)).cloned().map(Value::from).collect()
    };
    let (order, new_order) = (kept(&before.order, &after), kept(&after.order, &before));
    if order != new_order {
        found.push(change(None, "order", Some(&order.into()), Some(&new_order.into())));
    }
    if both_published {
        walk(None, "native", &before.native, &after.native, &mut found);
    }
    found
}

/// A release, so that what is compared stands under a name.
struct Parts {
    set: Value,
    policies: BTreeMap<String, Value>,
    order: Vec<String>,
    native: Value,
}

impl Parts {
    fn of(release: &Release) -> Self {
        // Texts and numbers under string keys: nothing here can fail.
        let mut set = serde_json::to_value(&release.policies).unwrap_or_default();
        let policies = set.as_object_mut().and_then(|set| set.remove("policy"));
        let policies = policies.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let order: Vec<_> = release.policies.policies.iter().map(|policy| policy.name.clone()).collect();
        let mut policies: BTreeMap<_, _> = order.iter().cloned().zip(policies).collect();
        for cases in &release.cases {
            let written = policies.get_mut(&cases.policy).and_then(Value::as_object_mut);
            let all = written.map(|policy| policy.entry("cases").or_insert_with(|| Map::new().into()));
            if let Some(all) = all.and_then(Value::as_object_mut) {
                let body = serde_json::json!({ "text": cases.text, "files": cases.files });
                all.insert(cases.file.clone(), body);
            }
        }
        let native = release.components.iter().flat_map(|component| {
            let names = move |target: &str| format!("{:.12} for {target}", component.sha256);
            component.native.iter().map(move |native| {
                (names(&native.target), serde_json::json!({ "engine": native.engine, "sha256": native.sha256 }))
            })
        });
        Self { policies, order, native: native.collect::<Map<_, _>>().into(), set }
    }
}

/// Goes down as long as both sides have members.
fn walk(policy: Option<&str>, key: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    let (Value::Object(was), Value::Object(is)) = (before, after) else {
        if before != after {
            found.push(change(policy, key, Some(before), Some(after)));
        }
        return;
    };
    let names: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    for name in names {
        let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        match (was.get(name), is.get(name)) {
            (Some(before), Some(after)) => walk(policy, &key, before, after, found),
            (before, after) => found.push(change(policy, &key, before, after)),
        }
    }
}

fn change(policy: Option<&str>, key: &str, before: Option<&Value>, after: Option<&Value>) -> Change {
    Change { policy: policy.map(str::to_owned), key: key.to_owned(), before: before.cloned(), after: after.cloned() }
}

/// A line for each change.
pub(crate) fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(line).collect()
}

fn line(change: &Change) -> String {
    let (sign, color) = match (&change.before, &change.after) {
        (None, _) => ("+", AnsiColor::Green),
        (_, None) => ("-", AnsiColor::Red),
        _ => ("~", AnsiColor::Yellow),
    };
    let policy = change.policy.as_ref().map(|policy| format!("policy `{}`", one_line(policy)));
    let key = Some(one_line(&change.key)).filter(|key| !key.is_empty());
    let subject = policy.into_iter().chain(key).collect::<Vec<_>>().join(": ");
    let values = match (&change.before, &change.after) {
        // Texts of cases are long.
        _ if change.key.split('.').next() == Some("cases") => String::new(),
        (before, after) if change.key.is_empty() => {
            let whole = after.as_ref().or(before.as_ref());
            let component = whole.and_then(|policy| policy.get("component")?.as_str());
            let digest = whole.and_then(|policy| policy.get("sha256")?.as_str());
            format!(" ({} {:.12})", one_line(component.unwrap_or_default()), digest.unwrap_or_default())
        }
        (Some(before), Some(after)) => format!(": {} -> {}", shown(before), shown(after)),
        (before, after) => after.as_ref().or(before.as_ref()).map(|it| format!(": {}", shown(it))).unwrap_or_default(),
    };
    format!("  {} {subject}{values}", styled(sign, color))
}

/// A value on one line; of a digest as much as tells it apart.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{text:.12}")
        }
        value => one_line(&value.to_string()),
    }
}
