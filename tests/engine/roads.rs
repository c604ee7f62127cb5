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
