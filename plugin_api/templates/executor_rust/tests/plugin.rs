//! Two tests in one: the host validates the plugin, and runs the profile.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// The library that `cargo build` made, copied to a file that is named for its id. (`cargo test` alone builds no library.)
fn plugin() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
    let file = folder.join("my_executor.so");
    std::fs::copy(folder.join("libmy_executor.so"), &file).expect("cargo build comes first");
    std::fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap(); // the host refuses a file that others may write
    file
}

#[test]
fn holds_every_rule_and_runs() {
    let plugin = plugin();
    let validated = Command::new("chimera-host").arg("validate").arg(&plugin).status();
    assert!(validated.expect("chimera-host is in PATH").success());
    let set = format!("executor.plugin={}", plugin.display());
    let mut run = Command::new("chimera-host");
    run.args(["--profile", "my_executor.toml", "--ui", "none", "--output-dir", "target/results", "--set", &set]);
    assert!(run.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
}
