//! The command of `bowline test`: what it is told, and how it is run.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use bowline::engine::ExecSpec;
use bowline::stack::{Published, Running};
use tokio::process::Command;

use super::super::conversation::{self, Joint};
use super::super::exit::{Exit, Failure};
use super::super::terminal;
use super::Stop;

/// How long a command that was asked to end may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The variables that tell of the stack: for each service and port of it `BOWLINE_<SERVICE>_<PORT>`, `_UDP` or `_SCTP` behind it where it
/// is no TCP port. The first container's IPv4 address comes first.
pub fn environment(published: &[Published], project: &str) -> Vec<(String, String)> {
    let mut variables = vec![
        ("BOWLINE_PROJECT".to_owned(), project.to_owned()),
        ("COMPOSE_PROJECT_NAME".to_owned(), project.to_owned()),
    ];
    let mut sorted: Vec<&Published> = published.iter().collect();
    sorted.sort_by_key(|one| (&one.service, one.target, &one.protocol, one.number, one.v6));
    for same in sorted.chunk_by(|a, b| (&a.service, a.target, &a.protocol) == (&b.service, b.target, &b.protocol)) {
        let Some(first) = same.first() else { continue };
        let name = name(first);
        let all: Vec<String> = same.iter().map(ToString::to_string).collect();
        variables.push((name.clone(), first.to_string()));
        variables.push((format!("{name}_HOST"), first.host.clone()));
        variables.push((format!("{name}_PORT"), first.port.to_string()));
        variables.push((format!("{name}_ALL"), all.join(",")));
    }
    variables
}

fn name(one: &Published) -> String {
    let service: String =
        one.service.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    match one.protocol.as_str() {
        "tcp" => format!("BOWLINE_{service}_{}", one.target),
        other => format!("BOWLINE_{service}_{}_{}", one.target, other.to_ascii_uppercase()),
    }
}

/// Runs it here, with our input and output. When everything is to stop, it is asked to end, and killed when it does not.
pub async fn here(
    words: &[String],
    variables: &[(String, String)],
    stop: std::pin::Pin<&mut impl Future<Output = Stop>>,
) -> Result<Exit, Failure> {
    let Some((program, arguments)) = words.split_first() else { return Ok(Exit::Ok) };
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true).envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = command.spawn().map_err(|why| {
        let exit = if why.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
        Failure::new(Exit::Container(exit), format!("cannot run `{program}`: {why}"))
    })?;
    tokio::select! {
        ended = child.wait() => Ok(code(ended?)),
        why = stop => {
            if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
            Err(super::stopped(why))
        }
    }
}

/// As a shell tells it: 128 and the signal for one that was killed.
fn code(status: std::process::ExitStatus) -> Exit {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    match u8::try_from(code).unwrap_or(1) {
        0 => Exit::Ok,
        code => Exit::Container(code),
    }
}

/// Runs it in a container of a service, with our output.
pub async fn inside(running: &Running, service: &str, words: &[String]) -> Result<Exit, Failure> {
    let container = running.container(service).await?;
    let engine = running.engine();
    let environment = vec![format!("BOWLINE_PROJECT={}", running.name())];
    let terminal = terminal::is_whole();
    let spec = ExecSpec { command: words.to_vec(), environment, terminal, ..ExecSpec::default() };
    let mut exec = engine.exec(container.id.as_str(), &spec).await?;
    let joint = Joint { terminal, input: true, signals: false };
    let resize = async |size| engine.resize_exec(&exec.id, size).await;
    conversation::talk(&mut exec.ends, joint, resize, async |_| {}).await?;
    let code = engine.exec_code(&exec.id).await?.unwrap_or(1);
    Ok(match u8::try_from(code & 0xff).unwrap_or(1) {
        0 => Exit::Ok,
        code => Exit::Container(code),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_has_a_variable() {
        let one = |service: &str, target: u16, protocol: &str, number: u32, host: &str, port: u16| Published {
            service: service.into(),
            target,
            protocol: protocol.into(),
            number,
            v6: host.contains(':'),
            host: host.into(),
            port,
        };
        let published = [
            one("my-web", 80, "tcp", 1, "::1", 49153),
            one("my-web", 80, "tcp", 1, "127.0.0.1", 49153),
            one("my-web", 80, "tcp", 2, "127.0.0.1", 49154),
            one("dns", 53, "udp", 1, "127.0.0.1", 5353),
        ];
        let told = environment(&published, "p-1");
        let told: Vec<String> = told.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            told,
            [
                "BOWLINE_PROJECT=p-1",
                "COMPOSE_PROJECT_NAME=p-1",
                "BOWLINE_DNS_53_UDP=127.0.0.1:5353",
                "BOWLINE_DNS_53_UDP_HOST=127.0.0.1",
                "BOWLINE_DNS_53_UDP_PORT=5353",
                "BOWLINE_DNS_53_UDP_ALL=127.0.0.1:5353",
                "BOWLINE_MY_WEB_80=127.0.0.1:49153",
                "BOWLINE_MY_WEB_80_HOST=127.0.0.1",
                "BOWLINE_MY_WEB_80_PORT=49153",
                "BOWLINE_MY_WEB_80_ALL=127.0.0.1:49153,[::1]:49153,127.0.0.1:49154",
            ]
        );
    }
}
