//! A person or a script on one side, a program in a container on the other: keys, output, the size of the terminal, signals.

use std::io::Write;
use std::task::Poll;
use std::time::Duration;

use bowline::engine::{Ends, Error, Piece};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::{Exit, Failure};
use super::terminal::{self, Raw};

/// How both are joined.
#[derive(Clone, Copy, Debug)]
pub struct Joint {
    /// The program has a terminal, and ours is its own: every key goes there, and it hears of its size.
    pub terminal: bool,
    /// Our standard input is its.
    pub input: bool,
    /// Signals that come to us are sent on to it, instead of ending us.
    pub signals: bool,
}

/// Passes everything on until the program has ended, or let go of us. `resize` gets rows and columns; `signalled` the name of a
/// signal.
///
/// # Errors
/// When the connection breaks, or nobody reads our output any more.
pub async fn talk(
    ends: &mut Ends,
    joint: Joint,
    resize: impl AsyncFn((u16, u16)) -> Result<(), Error>,
    signalled: impl AsyncFn(&'static str),
) -> Result<(), Failure> {
    let raw = if joint.terminal && joint.input { Some(Raw::take()?) } else { None };
    let mut resized = signal(SignalKind::window_change())?;
    let mut heard = Heard::new(joint.signals)?;
    if let (true, Some(size)) = (joint.terminal, terminal::size()) {
        // a program that has ended already needs no size
        let _ = resize(size).await;
    }
    let (mut keys, mut reads, mut buffer) = (tokio::io::stdin(), joint.input, vec![0; 8192]);
    loop {
        tokio::select! {
            piece = ends.next() => match piece? {
                None => break,
                Some(Piece::Output(bytes)) => write(std::io::stdout().lock(), &bytes)?,
                Some(Piece::Error(bytes)) => write(std::io::stderr().lock(), &bytes)?,
            },
            read = keys.read(&mut buffer), if reads => {
                let read = read.unwrap_or(0);
                // one that does not read any more may go on writing
                let sent = match read {
                    0 => ends.input.shutdown().await,
                    read => ends.input.write_all(&buffer[..read]).await,
                };
                reads = read > 0 && sent.is_ok();
                if reads {
                    let _ = ends.input.flush().await;
                }
            }
            _ = resized.recv(), if joint.terminal => {
                if let Some(size) = terminal::size() {
                    let _ = resize(size).await;
                }
            }
            name = heard.next() => signalled(name).await,
        }
    }
    drop(raw);
    Ok(())
}

/// How long a program whose terminal was closed may take to end, before it counts as one that let go of us.
const LETTING_GO: Duration = Duration::from_secs(3);

/// What the program ended with; none where it goes on, which only keys in its terminal can ask for.
///
/// # Errors
/// What the Engine says.
pub async fn end(code: impl Future<Output = Result<i64, Error>>, terminal: bool) -> Result<Option<Exit>, Failure> {
    let code = match terminal {
        false => code.await?,
        true => match tokio::time::timeout(LETTING_GO, code).await {
            Ok(code) => code?,
            Err(_) => return Ok(None),
        },
    };
    Ok(Some(Exit::Container(u8::try_from(code & 0xff).unwrap_or(1))))
}

fn write(mut to: impl Write, bytes: &[u8]) -> Result<(), Failure> {
    to.write_all(bytes)?;
    Ok(to.flush()?)
}

/// Signals that would end us.
struct Heard(Vec<(&'static str, Signal)>);

impl Heard {
    fn new(wanted: bool) -> Result<Self, Failure> {
        let kinds = [
            ("INT", SignalKind::interrupt()),
            ("TERM", SignalKind::terminate()),
            ("HUP", SignalKind::hangup()),
            ("QUIT", SignalKind::quit()),
            ("USR1", SignalKind::user_defined1()),
            ("USR2", SignalKind::user_defined2()),
        ];
        let kinds = kinds.into_iter().filter(|_| wanted);
        Ok(Self(kinds.map(|(name, kind)| Ok((name, signal(kind)?))).collect::<Result<_, std::io::Error>>()?))
    }

    /// The next one; never, where none is listened to.
    async fn next(&mut self) -> &'static str {
        std::future::poll_fn(|waiting| {
            for (name, signal) in &mut self.0 {
                if signal.poll_recv(waiting) == Poll::Ready(Some(())) {
                    return Poll::Ready(*name);
                }
            }
            Poll::Pending
        })
        .await
    }
}
