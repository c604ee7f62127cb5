//! The ways to an Engine: TCP, TLS with certificates, ssh, a docker context. At the end of each stands the Engine of the other tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bowline::engine::{Address, find};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;

use crate::stack::{Ran, Stack};

const YAML: &str = "services:
  web: {image: busybox:latest, command: sleep infinity, stop_signal: SIGKILL}
";

/// The socket at the end of every road; none where the tests' Engine has none.
fn socket() -> Option<PathBuf> {
    match find(&|name| std::env::var(name).ok()).unwrap() {
        Address::Unix(path) => Some(path),
        other => {
            eprintln!("SKIPPED: the Engine is at {other}, and this test leads roads to a socket");
            None
        }
    }
}

/// Listens on a port of its own for as long as the test lives, and carries every connection to the socket.
fn listen(socket: PathBuf, tls: Option<TlsAcceptor>) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        crate::stack::block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (socket, tls) = (socket.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => carry(stream, &socket).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            carry(stream, &socket).await;
                        }
                    }
                });
            }
        });
    });
    port
}

async fn carry(mut stream: impl AsyncRead + AsyncWrite + Unpin, socket: &Path) {
    let mut engine = UnixStream::connect(socket).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut engine).await;
}

/// Runs bowline by the road that these variables name.
fn by(stack: &Stack, road: &[(&str, &str)], arguments: &str) -> Ran {
    let mut command = stack.bowline(arguments);
    for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_TLS", "DOCKER_CERT_PATH"] {
        command.env_remove(name);
    }
    Ran::from(command.envs(road.iter().copied()).output().unwrap())
}

/// Up, ps and down by this road.
fn whole_life(stack: &Stack, road: &[(&str, &str)]) {
    for (arguments, seen) in [("up -d", "Started"), ("ps", "sleep infinity"), ("logs", ""), ("down", "Removed")] {
        let ran = by(stack, road, arguments);
        assert_eq!(ran.code, Some(0), "{arguments}: {ran:?}");
        assert!(ran.out.contains(seen) || ran.err.contains(seen), "{arguments}: {ran:?}");
    }
    assert_eq!(stack.remains(), "");
}

#[test]
fn tcp_and_a_context_that_names_it() {
    let (Some(stack), Some(socket)) = (Stack::new("tcp", YAML), socket()) else { return };
    let host = format!("tcp://127.0.0.1:{}", listen(socket, None));
    whole_life(&stack, &[("DOCKER_HOST", &host)]);

    let configuration = stack.directory.join("docker");
    let meta = configuration.join("contexts/meta").join(sha256_hex("box"));
    std::fs::create_dir_all(&meta).unwrap();
    let text = format!(r#"{{"Name":"box","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
    std::fs::write(meta.join("meta.json"), text).unwrap();
    let configuration = configuration.to_str().unwrap();
    whole_life(&stack, &[("DOCKER_CONFIG", configuration), ("DOCKER_CONTEXT", "box")]);

    let gone = by(&stack, &[("DOCKER_CONFIG", configuration), ("DOCKER_CONTEXT", "boxx")], "ps");
    assert_eq!(gone.code, Some(69), "{gone:?}");
    assert!(gone.err.contains("the docker context `boxx` cannot be read"), "{gone:?}");
}

fn sha256_hex(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An authority, and what it signed for the Engine and for a client: `ca.pem`, `cert.pem`, `key.pem` as docker names them.
fn certificates(directory: &Path) -> TlsAcceptor {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(vec![]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let signed = |name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer);
        (certificate.unwrap().pem(), key.serialize_pem())
    };
    let (certificate, key) = signed("client");
    for (file, text) in [("ca.pem", &authority_pem), ("cert.pem", &certificate), ("key.pem", &key)] {
        std::fs::write(directory.join(file), text).unwrap();
    }

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut believed = rustls::RootCertStore::empty();
    believed.add(CertificateDer::from_pem_slice(authority_pem.as_bytes()).unwrap()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(believed), provider.clone()).build().unwrap();
    let (certificate, key) = signed("127.0.0.1");
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let configuration = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap());
    TlsAcceptor::from(Arc::new(configuration.unwrap()))
}

#[test]
fn tls_with_certificates_of_both_sides() {
    let (Some(stack), Some(socket)) = (Stack::new("tls", YAML), socket()) else { return };
    let files = stack.directory.join("certificates");
    std::fs::create_dir_all(&files).unwrap();
    let port = listen(socket, Some(certificates(&files)));
    let host = format!("tcp://127.0.0.1:{port}");
    let verified = [("DOCKER_HOST", &*host), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", files.to_str().unwrap())];
    whole_life(&stack, &verified);
    whole_life(&stack, &[verified[0], ("DOCKER_TLS", "1"), verified[2]]);

    let refused = |road: &[(&str, &str)], why: &str| {
        let ran = by(&stack, road, "ps");
        assert_eq!(ran.code, Some(69), "{ran:?}");
        assert!(ran.err.contains(why), "{why}: {ran:?}");
    };
    // a name that the certificate does not have, another authority, no TLS at all, a file that is none
    let localhost = format!("tcp://localhost:{port}");
    refused(&[("DOCKER_HOST", &localhost), verified[1], verified[2]], "not valid for name");
    refused(&[verified[0]], "if it speaks TLS, DOCKER_TLS_VERIFY=1");
    let other = stack.directory.join("other");
    std::fs::create_dir_all(&other).unwrap();
    certificates(&other);
    refused(&[verified[0], verified[1], ("DOCKER_CERT_PATH", other.to_str().unwrap())], "certificate");
    std::fs::write(other.join("ca.pem"), "no certificate").unwrap();
    refused(&[verified[0], verified[1], ("DOCKER_CERT_PATH", other.to_str().unwrap())], "it holds no certificate");
}

/// A context's certificates lie in the docker configuration, as `docker context create --docker host=…,ca=…,cert=…,key=…` puts them.
#[test]
fn a_context_with_certificates_of_its_own() {
    let (Some(stack), Some(socket)) = (Stack::new("tlscontext", YAML), socket()) else { return };
    let configuration = stack.directory.join("docker");
    let files = stack.directory.join("certificates");
    std::fs::create_dir_all(&files).unwrap();
    let port = listen(socket, Some(certificates(&files)));
    let context = |name: &str, host: &str, skip: bool, directory: Option<&Path>| {
        let meta = configuration.join("contexts/meta").join(sha256_hex(name));
        std::fs::create_dir_all(&meta).unwrap();
        let text = format!(
            r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"tcp://{host}:{port}","SkipTLSVerify":{skip}}}}}}}"#
        );
        std::fs::write(meta.join("meta.json"), text).unwrap();
        let tls = configuration.join("contexts/tls").join(sha256_hex(name)).join("docker");
        if let Some(directory) = directory {
            std::fs::create_dir_all(&tls).unwrap();
            for file in ["ca.pem", "cert.pem", "key.pem"] {
                std::fs::copy(directory.join(file), tls.join(file)).unwrap();
            }
        }
    };
    let other = stack.directory.join("other");
    std::fs::create_dir_all(&other).unwrap();
    certificates(&other);
    context("good", "127.0.0.1", false, Some(&files));
    context("elsewhere", "localhost", false, Some(&files));
    context("trusting", "localhost", true, Some(&files));
    context("stranger", "127.0.0.1", false, Some(&other));
    context("bare", "127.0.0.1", false, None);
    let road = |name| [("DOCKER_CONFIG", configuration.to_str().unwrap()), ("DOCKER_CONTEXT", name)];
    whole_life(&stack, &road("good"));
    // a name that the certificate does not have matters only where it is looked at
    whole_life(&stack, &road("trusting"));
    for (name, why) in [("elsewhere", "not valid for name"), ("stranger", "certificate"), ("bare", "if it speaks TLS")]
    {
        let ran = by(&stack, &road(name), "ps");
        assert!(ran.code == Some(69) && ran.err.contains(why), "{name}: {ran:?}");
    }
    // the configuration's own choice, and what is said on the command line
    std::fs::write(configuration.join("config.json"), r#"{"currentContext":"good"}"#).unwrap();
    assert_eq!(by(&stack, &road("good")[..1], "ps").code, Some(0));
    assert_eq!(by(&stack, &road("good")[..1], "--context elsewhere ps").code, Some(69));
    assert_eq!(by(&stack, &road("elsewhere"), "--context good ps").code, Some(0));
}

/// A stand-in for ssh: writes down what it was asked, and carries its input and output to the socket.
const SSH: &str = r#"#!/usr/bin/perl
use strict; use IO::Socket::UNIX; use IO::Select;
open my $log, '>>', '$LOG'; print $log "@ARGV\n"; close $log;
my $engine = IO::Socket::UNIX->new(Peer => '$SOCKET') or die "no socket: $!";
my $both = IO::Select->new($engine, \*STDIN);
while (my @ready = $both->can_read) {
  for my $from (@ready) {
    sysread($from, my $bytes, 65536) or exit 0;
    syswrite($from == $engine ? \*STDOUT : $engine, $bytes);
  }
}
"#;

#[test]
fn ssh_by_the_machine_s_own_command() {
    let (Some(stack), Some(socket)) = (Stack::new("ssh", YAML), socket()) else { return };
    let programs = stack.directory.join("bin");
    std::fs::create_dir_all(&programs).unwrap();
    let (ssh, log) = (programs.join("ssh"), stack.directory.join("asked"));
    let text = SSH.replace("$LOG", log.to_str().unwrap()).replace("$SOCKET", socket.to_str().unwrap());
    std::fs::write(&ssh, text).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&ssh).status().unwrap().success());
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    whole_life(&stack, &[("DOCKER_HOST", "ssh://me@box:2222"), ("PATH", &path)]);

    let asked = std::fs::read_to_string(log).unwrap();
    let first = asked.lines().next().unwrap();
    assert_eq!(first, "-p 2222 -o ConnectTimeout=30 -T -- me@box docker system dial-stdio");
}

/// An sshd on loopback, for one user with one key; ends when it is dropped.
struct Sshd(std::process::Child);

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The real thing: OpenSSH's sshd and ssh, keys on both sides, docker's own `dial-stdio` at the end.
#[test]
fn ssh_to_a_real_sshd() {
    let (Some(stack), Some(socket)) = (Stack::new("sshd", YAML), socket()) else { return };
    let (program, place) = ("/usr/sbin/sshd", stack.directory.join("sshd"));
    let docker = Command::new("sh").args(["-c", "command -v docker"]).output().unwrap();
    if !Path::new(program).exists() || !docker.status.success() || !rustix::process::geteuid().is_root() {
        return eprintln!("SKIPPED: a real ssh:// needs root, sshd and docker on this machine");
    }
    std::fs::create_dir_all(&place).unwrap();
    let _ = std::fs::create_dir_all("/run/sshd");
    let path = |name: &str| place.join(name).to_str().unwrap().to_owned();
    for key in ["host", "user"] {
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)]).status().unwrap();
        assert!(made.success());
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let docker = Path::new(String::from_utf8_lossy(&docker.stdout).trim()).parent().unwrap().display().to_string();
    let configuration = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\n\
         PasswordAuthentication no\nPermitRootLogin prohibit-password\nSetEnv DOCKER_HOST=unix://{} PATH={docker}:/usr/bin:/bin\n",
        path("host"),
        path("user.pub"),
        socket.display(),
    );
    std::fs::write(path("sshd_config"), configuration).unwrap();
    let log = std::fs::File::create(path("log")).unwrap();
    let sshd = Command::new(program).args(["-D", "-e", "-f", &path("sshd_config")]).stderr(log).spawn().unwrap();
    let _sshd = Sshd(sshd);
    crate::stack::eventually(std::time::Duration::from_secs(20), || {
        std::net::TcpStream::connect(("127.0.0.1", port))
            .map(drop)
            .map_err(|why| (why, std::fs::read_to_string(path("log"))))
    });
    // the machine's own ssh, told of the keys as ~/.ssh would tell it
    let host = std::fs::read_to_string(path("host.pub")).unwrap();
    std::fs::write(path("known"), format!("[127.0.0.1]:{port} {host}")).unwrap();
    std::fs::write(path("empty"), "").unwrap();
    let client = |known: &str| {
        let bin = place.join(known.to_owned() + ".bin");
        std::fs::create_dir_all(&bin).unwrap();
        let ssh = bin.join("ssh");
        let options = format!("-i {} -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes", path("user"), path(known));
        std::fs::write(&ssh, format!("#!/bin/sh\nexec /usr/bin/ssh -F none -o BatchMode=yes {options} \"$@\"\n"))
            .unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&ssh).status().unwrap().success());
        format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
    };
    let address = format!("ssh://127.0.0.1:{port}");
    whole_life(&stack, &[("DOCKER_HOST", &address), ("PATH", &client("known"))]);
    // a host whose key nobody knows is not spoken to, and ssh's own words say so
    let refused = by(&stack, &[("DOCKER_HOST", &address), ("PATH", &client("empty"))], "ps");
    assert!(refused.code == Some(69) && refused.err.contains("Host key verification failed"), "{refused:?}");
}
