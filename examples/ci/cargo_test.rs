//! The stack in a test of Rust: `tests/web.rs` of your crate, with `bowline` and `tokio` among its `dev-dependencies`.

use std::io::{Read, Write};
use std::net::TcpStream;

use bowline::stack::{Stack, StackError};

#[tokio::test]
async fn the_web_server_greets() -> Result<(), StackError> {
    // under a name of its own, and gone when it is dropped: by the end, by `?`, by a panic
    let stack = Stack::load(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ci/compose.yaml"))?;
    let stack = match stack.ephemeral_ports().up().await {
        // a machine without Docker skips it, a pipeline does not
        Err(StackError::Engine(why)) if std::env::var_os("CI").is_none() => {
            eprintln!("skipped: {why}");
            return Ok(());
        }
        up => up?,
    };

    let web = stack.address("web", 80).await?;
    let mut connection = TcpStream::connect(web.to_string()).expect("the port is published");
    write!(connection, "GET / HTTP/1.0\r\n\r\n").expect("it listens");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("it answers");
    assert!(answer.ends_with("hello from bowline\n"), "{answer}");

    let beside = stack.exec("client", &["wget", "-qO", "-", "http://web/"]).await?;
    assert_eq!((beside.code, &beside.output[..]), (0, &b"hello from bowline\n"[..]));
    stack.down().await
}
