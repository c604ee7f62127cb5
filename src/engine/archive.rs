//! Files of a container as tar archives, both ways; a container as an archive, and as an image.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{Method, Request, header};
use http_body_util::{Either, StreamBody};
use hyper::body::Frame;
use serde::Deserialize;

use super::call::{Call, segment};
use super::registry::split_tag;
use super::stream::Pieces;
use super::{Engine, Error};

/// The bit of Go's `os.FileMode` that says directory.
const DIRECTORY: u32 = 1 << 31;

/// What a path of a container leads to (`HEAD /containers/{id}/archive`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PathStat {
    /// The last part of the path.
    pub name: String,
    /// Go's `os.FileMode`.
    mode: u32,
    /// Where it leads, whole, if it is a link; else empty.
    #[serde(rename = "linkTarget")]
    pub link_target: String,
}

impl PathStat {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & DIRECTORY != 0
    }
}

/// An archive on its way from the Engine.
pub struct Download(Pieces);

impl Download {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// [`Error::Stream`] when the connection broke.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.0.piece().await
    }
}

/// How a container becomes an image.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// `repository[:tag]`; empty: without a name.
    pub reference: String,
    /// Who made it.
    pub author: String,
    /// What for.
    pub message: String,
    /// Lines of a Dockerfile that change it.
    pub changes: Vec<String>,
    /// Whether the container is held still meanwhile.
    pub pause: bool,
}

impl Engine {
    /// What a path of a container leads to; none where there is nothing.
    ///
    /// # Errors
    /// What the Engine says, but "not there".
    pub async fn stat_path(&self, id: &str, path: &str) -> Result<Option<PathStat>, Error> {
        let name = "HEAD /containers/archive".to_owned();
        let unreadable =
            |why: &dyn std::fmt::Display| Error::Unreadable { request: name.clone(), why: why.to_string() };
        let call = Call::new(Method::HEAD, &archive(id)).query("path", path);
        let answer = match self.head(call, Bytes::new()).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let told = answer.headers().get("x-docker-container-path-stat").ok_or_else(|| unreadable(&"it has no stat"))?;
        let json = base64::prelude::BASE64_STANDARD.decode(told.as_bytes()).map_err(|why| unreadable(&why))?;
        serde_json::from_slice(&json).map(Some).map_err(|why| unreadable(&why))
    }

    /// `GET /containers/{id}/archive`: a file or a directory, with its own name at the root of the archive.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a path that is not there.
    pub async fn get_archive(&self, id: &str, path: &str) -> Result<Download, Error> {
        let answer = self.head(Call::get(&archive(id)).query("path", path), Bytes::new()).await?;
        Ok(Download(Pieces::new(answer.into_body())))
    }

    /// `PUT /containers/{id}/archive`: unpacks an archive in a directory of a container, while it comes. A directory is never
    /// replaced by a file, nor a file by a directory. `owners`: the user and the group of each file are taken over.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a directory that is not there; a read-only root file system; what broke the archive off.
    pub async fn send_archive(
        &self,
        id: &str,
        directory: &str,
        owners: bool,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), Error> {
        let mut call =
            Call::new(Method::PUT, &archive(id)).query("path", directory).query("noOverwriteDirNonDir", "true");
        if owners {
            call = call.query("copyUIDGID", "true");
        }
        let body = Either::Right(StreamBody::new(pieces.map(|piece| piece.map(Frame::data)).boxed()));
        let request =
            Request::builder().method(Method::PUT).uri(call.path()).header(header::CONTENT_TYPE, "application/x-tar");
        let request = request.body(body).map_err(|why| Error::Stream(Arc::new(io::Error::other(why))))?;
        let answer = self.transport.send(request).await?;
        let status = answer.status();
        let body = self.body_of(answer, "PUT /containers/archive").await?;
        match status.is_success() {
            true => Ok(()),
            false => Err(Error::from_answer(status.as_u16(), super::call::message(&body, status.as_u16()))),
        }
    }

    /// `GET /containers/{id}/export`: its whole file system, without volumes.
    ///
    /// # Errors
    /// What the Engine says.
    pub async fn export(&self, id: &str) -> Result<Download, Error> {
        let answer = self.head(Call::get(&format!("/containers/{}/export", segment(id))), Bytes::new()).await?;
        Ok(Download(Pieces::new(answer.into_body())))
    }

    /// `POST /commit`: makes an image of a container; returns its id.
    ///
    /// # Errors
    /// What the Engine refuses: a name that is none, a change that no image can have.
    pub async fn commit(&self, id: &str, commit: &Commit) -> Result<String, Error> {
        let (repository, tag) = split_tag(&commit.reference);
        let mut call =
            Call::post("/commit").query("container", id).query("pause", if commit.pause { "1" } else { "0" });
        let texts = [
            ("repo", repository),
            ("tag", tag.unwrap_or_default()),
            ("author", &commit.author),
            ("comment", &commit.message),
        ];
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            call = call.query(name, text);
        }
        for change in &commit.changes {
            call = call.query("changes", change);
        }
        // the configuration of the container is the image's, where this says nothing
        let (_, answer) = self.order(call, Some(&serde_json::json!({}))).await?;
        Ok(super::write::created(&answer, "POST /commit")?.as_str().to_owned())
    }
}

fn archive(id: &str) -> String {
    format!("/containers/{}/archive", segment(id))
}
