//! Questions and orders that fit in one request and one answer.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;
use std::time::Duration;

use super::Engine;
use super::error::Error;

/// How long a question that is answered from memory may take. A busy Engine answers in milliseconds; one that is stuck
/// never does.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request in the making.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: Method,
    path: String,
    asked: bool,
}

impl Call {
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), asked: false }
    }

    pub(super) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    pub(super) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds `name=value` to the query.
    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.asked { '&' } else { '?' });
        self.asked = true;
        let _ = write!(self.path, "{name}={}", segment(value));
        self
    }

    /// Adds `filters={"kind":["value"]}`.
    pub(super) fn filter(self, kind: &str, values: &[&str]) -> Self {
        let filters = serde_json::json!({ kind: values }).to_string();
        self.query("filters", &filters)
    }

    /// The path with its query.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// A name as one segment of a path, or a value of a query (RFC 3986, "unreserved" stays). `/` and `:` of image names are
/// legal in a path, and the Engine wants them so.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => out.push(byte.into()),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

impl Engine {
    /// Asks, and reads the answer as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let name = call.name();
        let asking = async { self.body_of(self.head(call, Bytes::new()).await?, &name).await };
        let late = |_| Error::Silent { request: name.clone(), seconds: PATIENCE.as_secs() };
        let body = tokio::time::timeout(PATIENCE, asking).await.map_err(late)??;
        let unreadable =
            |why: &dyn std::fmt::Display| Error::Unreadable { request: name.clone(), why: why.to_string() };
        // whole, and not each string of it: an inspection has a hundred
        let text = std::str::from_utf8(&body).map_err(|why| unreadable(&why))?;
        serde_json::from_str(text).map_err(|why| unreadable(&why))
    }

    /// Orders, with no limit of time: a stop takes as long as the container may. Returns the status and the body.
    pub(super) async fn order(&self, call: Call, body: Option<&impl Serialize>) -> Result<(u16, Bytes), Error> {
        let name = call.name();
        let body = match body {
            Some(body) => serde_json::to_vec(body)
                .map_err(|why| Error::Unreadable { request: name.clone(), why: why.to_string() })?
                .into(),
            None => Bytes::new(),
        };
        let answer = self.head(call, body).await?;
        let status = answer.status().as_u16();
        Ok((status, self.body_of(answer, &name).await?))
    }

    /// Sends, and returns the head of a good answer (2xx, 101 and 304); the others are errors with the Engine's words.
    pub(super) async fn head(&self, call: Call, body: Bytes) -> Result<Response<Incoming>, Error> {
        let name = call.name();
        let mut request = Request::builder().method(&call.method).uri(&call.path);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Either::Left(Full::new(body)))
            .map_err(|why| Error::Unreadable { request: name.clone(), why: why.to_string() })?;
        let answer = self.transport.send(request).await?;
        let status = answer.status();
        if status.is_success() || matches!(status.as_u16(), 101 | 304) {
            return Ok(answer);
        }
        let body = self.body_of(answer, &name).await?;
        Err(Error::from_answer(status.as_u16(), message(&body, status.as_u16())))
    }

    /// The whole body; read to the end, so that the connection can be used again.
    pub(super) async fn body_of(&self, answer: Response<Incoming>, request: &str) -> Result<Bytes, Error> {
        let collected = answer.into_body().collect().await;
        let broken = |why: hyper::Error| Error::Broken { request: request.to_owned(), why: why.to_string() };
        Ok(collected.map_err(broken)?.to_bytes())
    }
}

/// `{"message": "…"}`, or whatever else a proxy in between may say.
pub(super) fn message(body: &[u8], status: u16) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let text = match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => refusal.message,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    if text.is_empty() { format!("the Engine answered with status {status} and no word") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_filters_travel_whole() {
        let call = Call::get("/containers/json").query("all", "1").filter("label", &["a=b c"]);
        assert_eq!(call.path, "/containers/json?all=1&filters=%7B%22label%22:%5B%22a%3Db%20c%22%5D%7D");
        assert_eq!(segment("reg/img:1@sha256:ab"), "reg/img:1%40sha256:ab");
        assert_eq!(segment("망"), "%EB%A7%9D");
    }

    #[test]
    fn a_refusal_without_json_is_still_told() {
        assert_eq!(message(b"{\"message\":\"no\"}", 500), "no");
        assert_eq!(message(b" bad gateway\n", 502), "bad gateway");
        assert!(message(b"", 500).contains("500"));
    }
}
