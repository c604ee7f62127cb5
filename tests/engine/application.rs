//! examples/application: a web service with PostgreSQL, Redis and a migration, all made from Debian's packages.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stack::{Ran, Stack};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/application")
}

/// The root file systems, assembled once for all runs; false where this machine has no packages of Debian's.
///
/// # Panics
/// Where that must not be.
fn is_prepared() -> bool {
    let alone = File::create(std::env::temp_dir().join("bowline-example-application.lock")).unwrap();
    alone.lock().unwrap();
    let ran = Command::new(example().join("prepare")).output().unwrap();
    let ran = Ran::from(ran);
    if ran.code == Some(0) {
        return true;
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "examples/application cannot be prepared: {}", ran.err);
    eprintln!("SKIPPED, and nothing is known of examples/application: it cannot be prepared here: {}", ran.err);
    false
}

/// The example in a directory of its own, with images of its own names.
fn copied() -> Option<Stack> {
    let text = fs::read_to_string(example().join("compose.yaml")).unwrap();
    let stack = Stack::new("app", &text.replace("image: application-", "image: $NAME-"))?;
    if !is_prepared() {
        return None;
    }
    for part in ["db", "cache", "web", "db-password.txt"] {
        let copied = Command::new("cp").arg("-r").arg(example().join(part)).arg(&stack.directory).status().unwrap();
        assert!(copied.success());
    }
    Some(stack)
}

#[test]
fn a_real_application_is_built_migrated_tested_proved_and_taken_away() {
    let Some(stack) = copied() else { return };
    // as a pipeline has it: one line, and nothing is left
    let ran = stack.run("test --in web -- python3 /app/check.py http://web:8000", 0);
    assert!(ran.out.contains("number 1' was written, read from the database, and then from the cache"), "{ran:?}");
    assert!(ran.err.contains(" checks proved"), "{}", ran.err);

    stack.run("up -d --wait", 0);
    let check = ["exec", "-T", "web", "python3", "/app/check.py", "http://web:8000"].join(" ");
    assert!(stack.run(&check, 0).out.contains("number 1'"));
    assert!(stack.run("logs migrate", 0).out.contains("applied 002-time.sql"));
    let shown = stack.run("verify --format json", 0);
    let report: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
    let proved = |id: &str| {
        report["checks"].as_array().unwrap().iter().any(|check| check["id"] == id && check["verdict"] == "proved")
    };
    for id in [
        "completed/migrate",
        "healthy/db",
        "reach/web->db:5432/tcp",
        "reach/web->cache:6379/tcp",
        "isolated/cache->db:5432/tcp",
    ] {
        assert!(proved(id), "{id}: {}", shown.out);
    }
    // a job that has ended is begun again by each `up`, and nothing else is there to do
    let planned = stack.run("plan", 2).out;
    assert!(planned.contains("start migrate.1") && !planned.contains("\n2 "), "{planned}");

    // what was written stays, and a migration is not made twice
    stack.run("down", 0);
    stack.run("up -d --wait", 0);
    assert!(stack.run(&check, 0).out.contains("number 2'"));
    let logs = stack.run("logs migrate", 0).out;
    assert!(logs.contains("the database is at 002-time") && !logs.contains("applied"), "{logs}");

    // everything runs, and the service is of no use
    let name = format!("{}-db-1", stack.name);
    let line =
        "read -r PGPASSWORD </run/secrets/db-password; export PGPASSWORD; psql -qh /tmp -U app -c 'DROP TABLE notes'";
    let ran = Ran::from(crate::stack::program("docker").args(["exec", &name, "sh", "-c", line]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let refuted = stack.run("verify", 71).out;
    assert!(refuted.contains("localhost:18095/health") && refuted.contains("503"), "{refuted}");

    stack.run("down -v", 0);
    assert_eq!(stack.remains(), "");
    for part in ["db", "cache", "web"] {
        stack.docker(&format!("rmi {}-{part}", stack.name));
    }
}
