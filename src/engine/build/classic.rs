//! `POST /build`: the Engine's own builder, where there is no buildx.
//!
//! bollard's own options know one name for the image and no limits, so that the query is written here. Base images are pulled
//! without credentials: which registries a Dockerfile asks is not known before it runs.

use std::io;
use std::path::Path;

use futures_util::StreamExt;
use http::{Request, header};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::Frame;
use serde::Deserialize;
use serde_json::json;

use super::context::Context;
use crate::engine::call::Call;
use crate::engine::stream::Pieces;
use crate::engine::{Engine, Error};
use crate::state::desired::DesiredBuild;

/// One line of the answer.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    stream: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: String,
}

/// Builds, and tells each line of the builder.
pub(super) async fn build(engine: &Engine, wanted: &DesiredBuild, tell: &dyn Fn(&str)) -> Result<(), Error> {
    let said = wanted.build.buildkit.said();
    if !said.is_empty() {
        return Err(lacks(&format!("{} of `build`", said.join(", "))));
    }
    if wanted.build.platforms.len() > 1 {
        return Err(lacks("several platforms of `build`"));
    }
    if wanted.flags.builder.is_some() {
        return Err(lacks("`--builder`"));
    }
    let refused = |why: io::Error| Error::Build(why.to_string());
    let build = &wanted.build;
    let (dockerfile, body) = if build.context.contains("://") {
        (build.dockerfile.clone(), Either::Left(Full::default()))
    } else {
        let inline = build.dockerfile_inline.as_deref();
        let context = Context::open(Path::new(&build.context), &build.dockerfile, inline).map_err(refused)?;
        let name = context.dockerfile.clone();
        let mut pieces = context.send();
        let pieces = futures_util::stream::poll_fn(move |waiting| pieces.poll_recv(waiting));
        let pieces = pieces.map(|piece| piece.map(Frame::data));
        (name, Either::Right(StreamBody::new(pieces.boxed())))
    };
    let call = call(wanted, &dockerfile, &engine.client.proxies);
    let request = Request::builder().method("POST").uri(call.path()).header(header::CONTENT_TYPE, "application/x-tar");
    let unreadable =
        |why: &dyn std::fmt::Display| Error::Unreadable { request: "POST /build".to_owned(), why: why.to_string() };
    let request = request.body(body).map_err(|why| unreadable(&why))?;
    let answer = engine.transport.send(request).await?;
    let status = answer.status();
    if !status.is_success() {
        let body = engine.body_of(answer, "POST /build").await?;
        return Err(Error::Build(crate::engine::call::message(&body, status.as_u16())));
    }
    let mut told = Pieces::new(answer.into_body());
    while let Some(line) = told.line().await? {
        hear(&line, tell)?;
    }
    Ok(())
}

/// Of what this builder cannot do.
pub(super) fn lacks(what: &str) -> Error {
    Error::Build(format!("{what} needs buildx, which is not here: install docker-buildx"))
}

fn hear(line: &[u8], tell: &dyn Fn(&str)) -> Result<(), Error> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let told: Told = serde_json::from_slice(line)
        .map_err(|why| Error::Unreadable { request: "POST /build".to_owned(), why: why.to_string() })?;
    if !told.error.is_empty() {
        return Err(Error::Build(told.error));
    }
    told.stream.lines().chain([told.status.as_str()]).filter(|line| !line.trim().is_empty()).for_each(tell);
    Ok(())
}

/// The query (Engine API, `ImageBuild`); `more` are arguments for where the file has no word on them.
fn call(wanted: &DesiredBuild, dockerfile: &str, more: &[(String, String)]) -> Call {
    let build = &wanted.build;
    let mut args = build.args.clone();
    for (name, value) in more {
        args.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let mut call = Call::post("/build").query("version", "1").query("rm", "1").query("forcerm", "1");
    for tag in &wanted.tags {
        call = call.query("t", tag);
    }
    call = call.query("dockerfile", dockerfile);
    if build.context.contains("://") {
        call = call.query("remote", &build.context);
    }
    for (name, json) in [
        ("buildargs", (!args.is_empty()).then(|| json!(args))),
        ("labels", Some(json!(build.labels))),
        ("cachefrom", (!build.cache_from.is_empty()).then(|| json!(build.cache_from))),
        ("ulimits", (!build.ulimits.is_empty()).then(|| limits(&build.ulimits))),
    ] {
        if let Some(json) = json {
            call = call.query(name, &json.to_string());
        }
    }
    let hosts = build.extra_hosts.iter().map(|(name, address)| format!("{name}:{address}"));
    let hosts = Some(hosts.collect::<Vec<_>>().join(",")).filter(|hosts| !hosts.is_empty());
    let platform = build.platforms.first().or(wanted.platform.as_ref());
    for (name, text) in [
        ("target", build.target.clone()),
        ("networkmode", build.network.clone()),
        ("extrahosts", hosts),
        ("shmsize", build.shm_size.map(|bytes| bytes.to_string())),
        ("platform", platform.cloned()),
        ("memory", wanted.flags.memory.map(|bytes| bytes.to_string())),
        ("nocache", build.no_cache.then(|| "1".to_owned())),
        ("pull", build.pull.then(|| "1".to_owned())),
    ] {
        if let Some(text) = text {
            call = call.query(name, &text);
        }
    }
    call
}

fn limits(limits: &[(String, i64, i64)]) -> serde_json::Value {
    limits.iter().map(|(name, soft, hard)| json!({ "Name": name, "Soft": soft, "Hard": hard })).collect()
}
