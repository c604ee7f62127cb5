//! What `verify` makes of jobs, and `up --verify`.

use crate::stack::Stack;

/// Everything that ends, and a server beside it. `$END` is how the job that nobody waits for ends.
const JOBS: &str = "
services:
  migrate: {image: busybox, command: 'true', networks: [net]}
  seed: {image: busybox, command: 'true', networks: [net]}
  once: {image: busybox, command: $END, networks: [net], restart: 'no'}
  web:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    networks: [net]
    depends_on:
      migrate: {condition: service_completed_successfully}
      seed: {condition: service_started}
      once: {condition: service_started}
networks: {net: {ipam: {config: [{subnet: 10.30.31.0/26}]}}}
x-verify: {jobs: [seed]}
";

#[test]
fn a_stack_with_jobs_is_proved_by_one_command_and_refuted_when_one_of_them_fails() {
    let Some(stack) = Stack::new("jobs-proved", &JOBS.replace("$END", "'true'")) else { return };
    let up = stack.run("up --verify", 0);
    assert!(up.out.contains("all proved"), "{}{}", up.out, up.err);
    let report: serde_json::Value = serde_json::from_str(&stack.run("verify --format json", 0).out).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let ids: Vec<&str> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
    for job in ["migrate", "seed", "once"] {
        let own: Vec<_> = ids.iter().filter(|id| id.contains(job)).collect();
        assert_eq!(own, [&format!("completed/{job}")], "{ids:?}");
    }
    stack.write(&JOBS.replace("$END", "sh -c 'exit 3'"));
    let up = stack.run("up --verify", 71);
    assert!(up.out.contains("once-1 ended with 3"), "{}", up.out);
    // nobody says of it that it may end
    stack.write(&JOBS.replace("$END", "'true'").replace(", restart: 'no'", ""));
    let up = stack.run("up -d --verify", 73);
    assert!(up.out.contains("x-verify: {jobs: [once]}"), "{}", up.out);
    assert!(!up.out.contains("refuted"), "{}", up.out);
    stack.run("down", 0);
}
