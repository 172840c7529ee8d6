//! Prints the table of variables, with the defaults and with the values in force.

use cogwit_core::config::Config;

use crate::program::{cogwit, stdout};

/// The lines of a table, each with one blank between its words.
fn lines(table: &str) -> Vec<String> {
    table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn has(table: &str, name: &str, value: &str) {
    let start = format!("{name} {value} the ");
    assert!(lines(table).iter().any(|line| line.starts_with(&start)), "no `{start}` in\n{table}");
}

#[test]
fn the_table_has_every_variable_its_default_and_its_meaning() {
    for ended in [cogwit("config").ends(0), cogwit("help").arg("config").ends(0)] {
        let table = stdout(&ended.stderr_eq(""));
        for (name, value, meaning) in Config::default().table() {
            let line = lines(&format!("{name} {value} {meaning}")).remove(0);
            assert!(lines(&table).contains(&line), "no {name} in\n{table}");
        }
        assert!(table.contains("COGWIT_SECRET_*"), "{table}");
    }
}

#[test]
fn values_in_force_are_shown() {
    let set = [
        ("COGWIT_TRIGGER", "custom-message"),
        ("COGWIT_MAX_FUEL", "1_000"),
        ("COGWIT_MAX_DEADLINE", "1500 ms"),
        ("COGWIT_MAX_MEMORY", "64MiB"),
        ("COGWIT_SECRET_CODE", "hush-hush"),
    ];
    let table = stdout(&cogwit("config").envs(set).ends(0).stderr_eq(""));
    has(&table, "COGWIT_TRIGGER", "custom-message");
    has(&table, "COGWIT_MAX_FUEL", "1000");
    has(&table, "COGWIT_MAX_DEADLINE", "1s 500ms");
    has(&table, "COGWIT_MAX_MEMORY", "64.0 MiB");
    has(&table, "COGWIT_MAX_OUTPUT", "6.0 MiB");
    assert!(!table.contains("hush-hush"), "{table}");
    // The help has the defaults, whatever is in force.
    let help = stdout(&cogwit("help").arg("config").envs(set).ends(0));
    has(&help, "COGWIT_MAX_FUEL", "5000000000");
}
