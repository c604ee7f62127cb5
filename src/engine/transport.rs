//! One road for every request: pooled connections, the negotiated API version in each path, one retry for reads, a log,
//! and a gate that can refuse a request before it leaves.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, Uri};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::Options;
use super::connect::Address;
use super::error::Error;
use super::tls;

mod ahead;

/// Bytes that a connection reads ahead at most. Hyper's own limit is six times as much, and a stack has a connection for the logs
/// of every container.
const BUFFER: usize = 64 * 1024;

/// The body that bollard sends: whole, or a stream.
pub(super) type Body = Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>>;

/// A request and how it ended, for `-v`.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `GET`, `POST` …
    pub method: Method,
    /// The path with its query, the API version in front.
    pub path: String,
    /// The status, or why there is none.
    pub outcome: Result<u16, String>,
    /// From the request to the head of the answer.
    pub took: Duration,
}

/// Called for every request before it leaves: an error is what the caller gets, as from a broken connection.
pub type Gate = Arc<dyn Fn(&Method, &str) -> io::Result<()> + Send + Sync>;
/// Called for every answer.
pub type Log = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// How requests travel to one Engine.
pub(super) struct Transport {
    client: Client<Connector, Body>,
    address: Address,
    api: OnceLock<(u32, u32)>,
    options: Options,
}

impl Transport {
    /// # Errors
    /// [`Error::Address`] where the address asks for certificates that cannot be read.
    pub(super) fn new(address: Address, options: Options) -> Result<Self, Error> {
        let tls = match &address {
            Address::Tcp { tls: Some(tls), .. } => Some(tls.connector()?),
            _ => None,
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(64)
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(BUFFER)
            .build(Connector { address: address.clone(), tls });
        Ok(Self { client, address, api: OnceLock::new(), options })
    }

    /// From now on every path begins with this version.
    pub(super) fn set_api(&self, api: (u32, u32)) {
        // The first one stays: an Engine that is replaced under a running bowline keeps the old version's answers.
        let _ = self.api.set(api);
    }

    /// Sends a request and returns the head of the answer, whatever its status. A read that a closed connection swallowed
    /// is sent once more; a write is not, because the Engine may have done it.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        let (mut parts, body) = request.into_parts();
        let path = self.path(&parts.uri);
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        let name = format!("{} {}", parts.method, path.split('?').next().unwrap_or_default());
        if self.options.read_only && !reads {
            return Err(Error::ReadOnly(name));
        }
        parts.uri = format!("http://engine{path}").parse().map_err(|why| broken(&name, &why))?;
        for (name, value) in &self.options.headers {
            parts.headers.insert(name, value.clone());
        }
        let again = reads.then(|| parts.clone());
        let started = Instant::now();
        let mut answer = self.once(Request::from_parts(parts, body), &path).await;
        if let (Some(parts), Err(Lost::Underway(_))) = (again, &answer) {
            let empty = Either::Left(Full::new(Bytes::new()));
            answer = self.once(Request::from_parts(parts, empty), &path).await;
        }
        if let Some(log) = &self.options.log {
            let outcome = answer.as_ref().map(|a| a.status().as_u16()).map_err(ToString::to_string);
            let (method, path) =
                name.split_once(' ').map_or((Method::GET, ""), |(m, _)| (m.parse().unwrap_or_default(), &*path));
            log(&Exchange { method, path: path.to_owned(), outcome, took: started.elapsed() });
        }
        answer.map_err(|lost| match lost {
            Lost::Connecting(why) => Error::Unreachable { address: self.address.to_string(), why },
            Lost::Underway(why) => Error::Broken { request: name, why },
        })
    }

    async fn once(&self, request: Request<Body>, path: &str) -> Result<Response<Incoming>, Lost> {
        if let Some(gate) = &self.options.gate {
            gate(request.method(), path).map_err(|why| Lost::Underway(why.to_string()))?;
        }
        self.client.request(request).await.map_err(|error| {
            let why = root(&error);
            if error.is_connect() { Lost::Connecting(why) } else { Lost::Underway(why) }
        })
    }

    /// The path and query of `uri` with the negotiated version in front, whichever version the caller put there.
    fn path(&self, uri: &Uri) -> String {
        self.versioned(uri.path_and_query().map_or("/", |p| p.as_str()))
    }

    fn versioned(&self, path: &str) -> String {
        let bare = without_version(path);
        match self.api.get() {
            Some((major, minor)) => format!("/v{major}.{minor}{bare}"),
            None => bare.to_owned(),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("{0}")]
    Connecting(String),
    #[error("{0}")]
    Underway(String),
}

fn broken(request: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Broken { request: request.to_owned(), why: why.to_string() }
}

/// The innermost cause: what the operating system said.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// `/v1.53/containers/json` without its first segment, where that is a version.
fn without_version(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/v") else { return path };
    match rest.find('/') {
        Some(end) if rest[..end].contains('.') && rest[..end].bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            &rest[end..]
        }
        _ => path,
    }
}

/// Opens connections.
#[derive(Clone)]
struct Connector {
    address: Address,
    tls: Option<TlsConnector>,
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Wire>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { address, tls } = self.clone();
        Box::pin(async move { Ok(TokioIo::new(Wire(open(&address, tls.as_ref()).await?))) })
    }
}

async fn open(address: &Address, tls: Option<&TlsConnector>) -> io::Result<Pin<Box<dyn Duplex>>> {
    match address {
        Address::Unix(path) => Ok(Box::pin(UnixStream::connect(path).await?)),
        Address::Tcp { host, port, .. } => {
            let connecting: BoxFuture<'_, _> = Box::pin(over_tcp(host, *port, tls));
            let limit = Duration::from_secs(10);
            tokio::time::timeout(limit, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
        }
        Address::Ssh { host, port } => dial_stdio(host, *port),
    }
}

async fn over_tcp(host: &str, port: u16, tls: Option<&TlsConnector>) -> io::Result<Pin<Box<dyn Duplex>>> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    match tls {
        Some(connector) => Ok(Box::pin(tls::secure(connector, host, stream).await?)),
        None => Ok(Box::pin(stream)),
    }
}

/// Another machine's Engine: its docker command carries the bytes, ssh's own configuration does the rest.
#[cold]
fn dial_stdio(host: &str, port: Option<u16>) -> io::Result<Pin<Box<dyn Duplex>>> {
    let mut ssh = tokio::process::Command::new("ssh");
    if let Some(port) = port {
        ssh.args(["-p", &port.to_string()]);
    }
    ssh.args(["-o", "ConnectTimeout=30", "-T", "--", host, "docker", "system", "dial-stdio"]);
    ssh.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let mut child = ssh.spawn()?;
    let missing = || io::Error::other("ssh has no standard input or output");
    let (output, input) = (child.stdout.take().ok_or_else(missing)?, child.stdin.take().ok_or_else(missing)?);
    Ok(Box::pin(Process { _child: child, pipe: tokio::io::join(output, input) }))
}

/// A child's output and input as one stream; the child ends with it.
struct Process {
    _child: tokio::process::Child,
    pipe: tokio::io::Join<tokio::process::ChildStdout, tokio::process::ChildStdin>,
}

impl AsyncRead for Process {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Process {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// An open connection, whatever carries it.
pub(super) struct Wire(Pin<Box<dyn Duplex>>);

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }
}

/// On the hyper side of [`TokioIo`], for the pool.
impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

#[cfg(test)]
mod tests;
