//! Compares candidates and policies that look on, from the records of a real server and from written ones.

use std::time::{Duration, SystemTime};

use cogwit_core::Call;
use cogwit_core::policy::Caps;
use cogwit_core::record::{Masking, Record, Setting};
use cogwit_core::release::Live;
use cogwit_core::run::{Chance, Engine};
use cogwit_core::store::{Admission, Source};
use regex::Regex;
use serde_json::Value;
use snapbox::str;

use crate::program::{Cogwit, cogwit, is, json, stderr, stdout};
use crate::support::{Folder, SIGN_UP};

/// Records as hosts write them: of a policy with a candidate, of one that looks on, and of one that does neither. One line is
/// none, and `aws logs tail` wrote something before two: with `--format detailed` before one, with `--format short` before one.
const RECORDS: &str = include_str!("compare.jsonl");

/// A record of two policies of this name, one with a candidate, one that looks on. Their set has it too.
fn record(name: &str, side: &str, verdict: &str, agrees: bool) -> String {
    let of = |mode: &str| {
        format!(
            r#""name":{name:?},"digest":{name:?},"mode":"{mode}","fuel":7,"memoryBytes":1,"instantiateMicros":1,"callMicros":1,"releaseMicros":1"#
        )
    };
    let (enforced, looks_on) = (of("enforce"), of("shadow"));
    let differs = if agrees { String::new() } else { format!(r#","differs":[{name:?}]"#) };
    format!(
        r#"{{"id":{name:?},"time":"2026-11-23T08:00:00.000Z","decision":{name:?},"newer":[{{}}],"policies":[{{{enforced},"side":"{side}","verdict":"{verdict}","fault":{{"kind":{name:?}}}}},{{{looks_on},"verdict":"allow","agrees":{agrees}{differs}}}],"set":{{"digest":{name:?}}}}}"#
    ) + "\n"
}

/// So many records of both sides under a set, and how many of them are denials.
fn step(set: &str, [stable, denied]: [usize; 2], [candidate, candidate_denied]: [usize; 2]) -> String {
    let of = |side, verdict, count| record("it", side, verdict, true).repeat(count);
    let stable = of("stable", "deny", denied) + &of("stable", "allow", stable - denied);
    let candidate = of("candidate", "deny", candidate_denied) + &of("candidate", "allow", candidate - candidate_denied);
    (stable + &candidate).replace(r#"{"digest":"it"}"#, &format!("{{\"digest\":\"{set}\"}}"))
}

fn compare(records: &str) -> Cogwit {
    cogwit("compare").stdin(records)
}

#[test]
fn sides_and_policies_that_look_on_are_told_apart() {
    is(
        stdout(&compare(RECORDS).ends(0).stderr_eq("")),
        str![[r#"
records    19
time       2026-11-23T08:00:01Z to 2026-11-23T08:00:19Z
decisions  allow 12, deny 6, fault 1
no record  1 of the lines; the first is standard input:5: there is no JSON object in it
unwatched  1: policies were to look on, and did not
others     12 runs of policies without a side: --all tells of them

access-gate
  side       digest        runs  allow  deny  fault  fuel: mean  median   p99  us: median  p99    memory
  stable     5d41402abc4b    10      9     1      0        1823    1823  1823         130  140  64.2 KiB
  candidate  9e107d9d372b     9      3     5      1        2105    2105  2105         110  140  64.2 KiB
  denials in set 3b5d5c371295: 10.00 % of stable 5d41402abc4b, 55.56 % of candidate 9e107d9d372b: more by 3.61 to 72.41 points
  faults in set 3b5d5c371295: 0.00 % of stable 5d41402abc4b, 11.11 % of candidate 9e107d9d372b: may be chance (-18.10 to +43.50 points)
  candidate 9e107d9d372b: faults: deadline 1 (r-07)

e-mail-rules
  side    digest        runs  allow  deny  fault  fuel: mean  median   p99  us: median  p99    memory
  shadow  e4d909c290d0    13     11     1      1        7040    7040  7040         150  150  64.2 KiB
  shadow e4d909c290d0: 9 agree, 4 differ (30.77 %): autoConfirmUser 2 (r-09, r-19), autoVerifyEmail 1 (r-09), denies 1 (r-18), faults 1 (r-07)
  shadow e4d909c290d0: faults: trap 1 (r-07)

"#]],
    );
}

#[test]
fn the_others_are_told_if_asked_for() {
    assert!(!stdout(&compare(RECORDS).ends(0)).contains("auto-confirm-domain"));
    let all = json(&compare(RECORDS).args(["--all", "--format", "json", "--examples", "1"]).ends(0));
    let [gate, other, looks_on] = all["policies"].as_array().unwrap().as_slice() else { panic!("{all}") };
    assert_eq!((&other["name"], &other["sides"][0]["side"]), (&"auto-confirm-domain".into(), &"-".into()));
    assert_eq!((&gate["sides"][1]["side"], &gate["sides"][1]["denials"]), (&"candidate".into(), &5.into()));
    assert_eq!(looks_on["sides"][0]["differs"][0]["ids"].as_array().map(Vec::len), Some(1));
    assert_eq!(all["unreadable"]["first"]["line"], 5);
}

#[test]
fn what_is_no_record_is_counted_and_nothing_else_is_an_error() {
    let good = record("it", "stable", "allow", true);
    let lacking = ["name", "digest", "mode", "fuel", "verdict", "agrees", "time", "policies", "releaseMicros"];
    let broken: String = lacking.iter().map(|member| good.replace(&format!("\"{member}\""), "\"other\"")).collect();
    let long = format!("{{{}}}\n", " ".repeat(1 << 20));
    let told = json(&compare(&format!("{broken}\n{long}INFO {good}")).args(["--format", "json"]).ends(0));
    assert_eq!(told["records"], 1);
    assert_eq!(told["unreadable"]["lines"], lacking.len() + 1);
    assert_eq!(told["unreadable"]["first"]["reason"], "missing field `name`");
    for (records, reason) in [("", "nothing to compare"), ("a\nb\n", "none of 2 lines is a record: standard input:1: ")]
    {
        let told = stderr(&compare(records).ends(4).stdout_eq(""));
        assert!(told.contains(reason), "{told}");
    }
    let told = stderr(&cogwit("compare").arg("missing").ends(4).stdout_eq(""));
    assert!(told.contains("cannot read `missing`: "), "{told}");
}

#[test]
fn whatever_a_line_holds_it_is_a_record_or_told() {
    let good = record("it", "stable", "allow", true);
    let with = |old: &str, new: &[u8]| {
        let (before, after) = good.split_once(old).unwrap();
        [before.as_bytes(), new, after.as_bytes()].concat()
    };
    let fuel = |value: &str| with(r#""fuel":7"#, format!("\"fuel\":{value}").as_bytes());
    let folder = Folder::new();
    for (line, reason) in [
        (with(r#""id":"it""#, b"\"id\":\"\xff\""), Some("invalid unicode code point")),
        (with("{}", b"\"\xff\""), None),
        (with("", b"\xff\xfe\xef\xbb\xbf "), None),
        (with("\n", b"\r\n"), None),
        (with(r#""id":"it""#, br#""id":"it","id":"it""#), Some("duplicate field `id`")),
        (with(r#""side":"stable""#, br#""side":"stable","side":"candidate""#), Some("duplicate field `side`")),
        (with("[{}]", br#"[{"id":1,"id":2}],"newer":7"#), None),
        (fuel("18446744073709551615"), None),
        (fuel("18446744073709551616"), Some("invalid type: floating point ")),
        (fuel("1e400"), Some("number out of range")),
        (fuel("-1"), Some("invalid value: integer `-1`")),
        (good.as_bytes().split_at(good.len() / 2).0.to_vec(), Some("EOF while parsing ")),
        (good.trim_end().as_bytes().to_vec(), None),
    ] {
        folder.write("records", [good.as_bytes(), &line].concat());
        let told = json(&folder.cogwit("compare").args(["records", "--format", "json"]).ends(0));
        let (text, unreadable) = (String::from_utf8_lossy(&line), &told["unreadable"]);
        assert_eq!(told["records"], 2 - usize::from(reason.is_some()), "{text}: {told}");
        let first = unreadable["first"]["reason"].as_str();
        assert!(first.unwrap_or_default().starts_with(reason.unwrap_or_default()), "{text}: {unreadable}");
    }
}

#[test]
fn files_and_standard_input_are_read_one_after_the_other() {
    let good = record("it", "stable", "allow", true);
    let folder = Folder::new().with("a", &good).with("b", good.repeat(2) + "none");
    let compare = |last: &str| folder.cogwit("compare").stdin(&good).args(["a", "-", "b", "--format", "json", last]);
    let told = json(&compare("a").ends(0));
    let first = &told["unreadable"]["first"];
    assert_eq!((&told["records"], &first["file"], &first["line"]), (&5.into(), &"b".into(), &3.into()));
    let told = stderr(&compare(".").ends(4).stdout_eq(""));
    assert!(told.contains("cannot read `.`: "), "{told}");
}

#[test]
fn a_check_fails_over_a_difference_alone() {
    let records = |denied: &str, agrees| {
        let of = |side, verdict| record("it", side, verdict, agrees).repeat(50);
        of("stable", "allow") + &of("candidate", denied)
    };
    for (denied, agrees, code) in [("allow", true, 0), ("deny", true, 1), ("fault", true, 1), ("allow", false, 1)] {
        let records = records(denied, agrees);
        compare(&records).arg("--check").ends(code);
        compare(&records).ends(0);
    }
    let one = record("it", "stable", "allow", true) + &record("it", "candidate", "deny", true);
    compare(&one).arg("--check").ends(0);
}

#[test]
fn a_check_that_saw_nothing_fails() {
    let unseen = |records: &str| records.replace(r#""mode":"shadow""#, r#""mode":"enforce""#);
    let unwatched = |records: &str| unseen(records).replace(r#""newer":[{}]"#, r#""unwatched":true"#);
    let [stable, candidate] = [step("one", [50, 0], [0, 0]), step("other", [0, 0], [50, 50])];
    for records in [
        unseen(&stable),
        unseen(&(stable.clone() + &candidate)),
        unwatched(&candidate),
        unseen(&stable).replace(r#""side""#, r#""newer""#),
    ] {
        for format in ["text", "json", "html"] {
            let records = compare(&records).args(["--format", format]);
            let told = stdout(&records.clone().ends(0).stderr_eq(""));
            let ended = records.arg("--check").ends(4).stdout_eq(told);
            assert!(stderr(&ended).contains("nothing was checked: "), "{}", stderr(&ended));
        }
    }
    let both = step("one", [5, 0], [5, 0]);
    for records in [&stable, &both, &unseen(&both), &unwatched(&both)] {
        compare(records).arg("--check").ends(0).stderr_eq("");
    }
}

/// As many are denied on both sides of either day; a candidate with more of the users on the worse day did no worse.
#[test]
fn each_step_of_a_rollout_is_compared_by_itself() {
    let calm = step("calm", [990, 10], [10, 0]);
    let worse = step("attack", [500, 250], [500, 250]).replace("T08:", "T09:");
    // What is read first need not be what was first.
    let records = compare(&(worse + &calm)).arg("--check");
    let told = json(&records.clone().args(["--format", "json"]).ends(0));
    let comparisons = told["policies"][0]["comparisons"].as_array().unwrap();
    let told: Vec<_> = comparisons.iter().map(|it| (&it["set"], &it["denials"]["mayBeChance"])).collect();
    assert_eq!(told, [(&"calm".into(), &true.into()), (&"attack".into(), &true.into())]);
    for (format, what) in [("text", "denials"), ("html", "Denials")] {
        let told = stdout(&records.clone().args(["--format", format]).ends(0));
        let sets = ["calm: 1.01 % of stable it, 0.00 %", "attack: 50.00 % of stable it, 50.00 %"];
        let [calm, attack] = sets.map(|set| told.find(&format!("{what} in set {set} of candidate it: ")));
        assert!(calm.is_some() && calm < attack, "{told}");
    }
}

#[test]
fn sides_are_not_compared_across_sets_nor_components_nor_without_a_set() {
    let [stable, candidate] = [step("one", [50, 0], [0, 0]), step("one", [0, 0], [50, 50])];
    let rebuilt = |side: &str| side.replace(r#""digest":"it","mode":"enforce""#, r#""digest":"new","mode":"enforce""#);
    for records in [
        stable.clone() + &candidate.replace("one", "other"),
        (stable.clone() + &candidate).replace(r#""set""#, r#""newer""#),
        stable.clone() + &candidate + &rebuilt(&candidate),
        rebuilt(&stable) + &stable + &candidate,
    ] {
        let told = stdout(&compare(&records).arg("--check").ends(0));
        assert!(told.contains("not compared: ") && !told.contains("denials"), "{told}");
    }
}

/// Each element that is begun is ended, in order; none runs or loads anything.
#[track_caller]
fn is_a_harmless_page(page: &str) {
    let tag = Regex::new(r#"<(/?)([a-z][a-z0-9]*)((?: [A-Za-z0-9-]+="[^"<>]*")*)(/?)>"#).unwrap();
    let attribute = Regex::new(r#" ([A-Za-z0-9-]+)=""#).unwrap();
    let (head, body) = page.split_once("<!DOCTYPE html>").unwrap();
    assert!(head.is_empty() && page.ends_with("</html>\n"), "{page}");
    let mut open = Vec::new();
    for found in tag.captures_iter(body) {
        let (ends, name, attributes, whole) = (&found[1], &found[2], &found[3], &found[4]);
        assert!(!["script", "img", "link", "iframe"].contains(&name), "{}", &found[0]);
        for attribute in attribute.captures_iter(attributes) {
            let name = &attribute[1];
            assert!(!name.starts_with("on") && !["src", "href", "style"].contains(&name), "{}", &found[0]);
        }
        match (ends, whole) {
            ("", "") => open.push(name.to_owned()),
            ("/", "") => assert_eq!(open.pop().as_deref(), Some(name)),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    // What is no tag has none of what makes one.
    let rest = tag.replace_all(body, "");
    assert!(!rest.contains(['<', '>']), "{rest}");
}

#[test]
fn a_page_holds_all_of_it_and_needs_nothing_else() {
    let page = stdout(&compare(RECORDS).args(["--all", "--format", "html"]).ends(0));
    is_a_harmless_page(&page);
    for part in ["access-gate", "e-mail-rules", "auto-confirm-domain", "r-09", "prefers-color-scheme: dark", "<path "] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert_eq!(page.matches("<svg role=\"img\" aria-label=\"").count(), page.matches("<svg").count());
}

#[test]
fn hostile_records_are_shown_as_they_are() {
    let hostile = "<img src=x onerror=\\\"alert(1)\\\">'&</svg></style><script>\\u001b[2J\\u202e\\n";
    let records = record("it", "stable", "fault", false).replace("\"it\"", &format!("\"{hostile}\""));
    let page = stdout(&compare(&records).args(["--format", "html"]).ends(0));
    is_a_harmless_page(&page);
    assert!(page.contains("<h2>&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;"), "{page}");
    for format in ["html", "text"] {
        let told = stdout(&compare(&records).args(["--format", format]).ends(0));
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    }
}

#[test]
fn names_without_end_are_counted_in_bounds() {
    let records: String =
        (0..1200).map(|number| record(&format!("policy-{number}"), "stable", "fault", false)).collect();
    let told = json(&compare(&records).args(["--format", "json"]).ends(0));
    let entries = |list: &Value| list.as_array().map(Vec::len);
    assert_eq!((entries(&told["policies"]), &told["leftOut"]), (Some(1000), &400.into()));
    assert_eq!((entries(&told["decisions"]), &told["decisions"][0]["name"]), (Some(101), &"others".into()));
    assert!(stdout(&compare(&records).ends(0)).contains("left out   400 runs: there are too many"));
    compare(&records).args(["--examples", "101"]).ends(2);
}

#[cfg(unix)]
#[test]
fn what_a_server_wrote_is_compared() {
    use crate::server::{PATIENT, Server};

    let set = format!(
        "{PATIENT}[[policy]]\nname = 'gate'\ncomponent = 'scripted.wasm'
        candidate = {{ component = 'scripted.wasm', settings = {{ deny = 'No' }}, rollout = 50 }}\n"
    );
    let folder = Folder::new().with_set(&set).with_component("scripted", "scripted.wasm");
    let server = Server::start(folder.serve());
    for user in 0..60 {
        let event = format!(r#"{{"triggerSource":"PreSignUp_SignUp","userName":"user-{user}","response":{{}}}}"#);
        server.record(&server.invoke("my-pre", event).id());
    }
    let records = server.stdout();
    let told = json(&compare(&records).args(["-", "--format", "json", "--check"]).ends(1));
    let [stable, candidate] = told["policies"][0]["sides"].as_array().unwrap().as_slice() else { panic!("{told}") };
    let runs = |side: &Value| side["runs"].as_u64().unwrap();
    assert_eq!((runs(stable) + runs(candidate), &told["records"]), (60, &60.into()));
    assert_eq!((&stable["allows"], &candidate["denials"]), (&stable["runs"], &candidate["runs"]));
    assert_eq!(told["policies"][0]["comparisons"][0]["denials"]["mayBeChance"], false);
    let text = stdout(&compare(&records).ends(0));
    assert!(text.contains("0.00 % of stable") && text.contains("100.00 % of candidate"), "{text}");
    let page = stdout(&compare(&records).args(["--format", "html"]).ends(0));
    is_a_harmless_page(&page);
}

/// The record of a sign-up that is allowed, where a policy with this setting looks on.
fn looked_on(setting: &str, unwatched: bool) -> String {
    let of = |name: &str, lines: &str| format!("[[policy]]\nname = '{name}'\ncomponent = 'scripted.wasm'\n{lines}\n");
    let looks_on = of("looks-on", &format!("mode = 'shadow'\nsettings = {{ {setting} }}"));
    let limits = "[limits]\ndeadline = '2 s'\n";
    let folder = Folder::new().with_set(&(limits.to_owned() + &of("answers", "") + &looks_on));
    let folder = folder.with_component("scripted", "scripted.wasm");
    let package = Source::parse(&folder.path("policies.toml")).unwrap().read().unwrap();
    let caps = Caps::default();
    let admission = Admission::new(Engine::new(4, caps.limits.memory).unwrap());
    let live = Live::fixed(Ok(admission.admit(&package, &caps, |_| None).unwrap()));
    let serving = live.serving();
    let call = Call::new(SIGN_UP.as_bytes(), "it", Chance::real());
    let mut decision = live.decide(&serving, &call);
    if !unwatched {
        decision.shadows = live.look_on(&serving, &call, &decision);
    }
    let setting = Setting {
        function: "it",
        time: SystemTime::now(),
        elapsed: Duration::ZERO,
        cold: false,
        trace: None,
        masking: &Masking::default(),
        serving: &serving,
    };
    Record::line(serving.set.as_deref().ok(), &call, &decision, &setting) + "\n"
}

#[test]
fn what_a_policy_made_of_an_answer_is_compared() {
    let settings = ["", "autoConfirmUser = 'true'", "deny = 'No'", "panic = 'Oh'"];
    let records: String = settings.map(|setting| looked_on(setting, false)).concat() + &looked_on("", true);
    let told = json(&compare(&records).args(["--format", "json"]).ends(0));
    assert_eq!((&told["records"], &told["unreadable"]["lines"], &told["unwatched"]), (&5.into(), &0.into(), &1.into()));
    let part = &told["policies"][0]["sides"][0];
    assert_eq!((&part["side"], &part["runs"], &part["differing"]), (&"shadow".into(), &4.into(), &3.into()));
    let names = |list: &Value| list.as_array().unwrap().iter().map(|it| it["name"].to_string()).collect::<String>();
    assert_eq!(names(&part["differs"]), r#""autoConfirmUser""denies""faults""#);
    assert_eq!(names(&part["faultKinds"]), r#""trap""#);
}
