//! Refuses before anything is brought in what could not be published or would not be followed, and warns of the rest.

use crate::channel::{Channel, set};
use crate::program::stderr;

#[test]
#[cfg(unix)]
fn no_file_from_elsewhere_travels_along() {
    let channel = Channel::in_a_folder();
    channel.folder.write("secret", "hush");
    std::os::unix::fs::symlink("../secret", channel.folder.path("four/link")).unwrap();
    let case = |file: &str| format!("event-file = '{file}'\nexpect.decision = 'event-refused'\n");
    for file in [&channel.folder.path("secret"), "../secret", "link"] {
        channel.folder.write("four/cases.toml", case(file));
        // A check that stays here reads it.
        channel.cogwit("validate").arg("four").ends(0);
        let told = stderr(&channel.publish("four").ends(4).stdout_eq(""));
        let reason = format!("{file}` lies outside of the set's folder, and would be published with it: move it there");
        assert!(told.contains(&reason), "{told}");
    }
    channel.folder.write("four/policies.toml", set("").replace("'cases.toml'", "'../cases.toml'"));
    channel.folder.write("cases.toml", case("secret"));
    let told = stderr(&channel.publish("four").ends(4).stdout_eq(""));
    assert!(told.contains("cases.toml` lies outside of the set's folder"), "{told}");
    assert!(channel.objects().is_empty(), "{:?}", channel.objects().keys());
    // What lies in the folder may be said in any way.
    channel.folder.write("four/policies.toml", set("").replace("'cases.toml'", "'cases/*.toml'"));
    channel.folder.write("four/cases/it.toml", case("../events/it.json"));
    channel.folder.write("four/events/it.json", "hush");
    channel.published("four");
    let folder = channel.folder.path("four");
    let publish = channel.strange("publish").folder(std::path::Path::new(&folder));
    publish.args(["policies.toml", &channel.place(), "--key", "../it.key"]).ends(0);
}
