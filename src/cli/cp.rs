//! `bowline cp`.

use std::path::Path;

use bowline::engine::{Engine, Listed, PathStat};
use clap::Args;
use tokio::io::AsyncReadExt;

use super::archive::{self, Links};
use super::args::Global;
use super::display::Display;
use super::engine::{Purpose, connect};
use super::exit::{Exit, Failure};
use super::stack::Named;
use super::{block_on, export, target};

/// Copy files between a container and here
///
/// A directory is copied whole, into the destination where that is a directory, and under its name otherwise; `DIRECTORY/.` means
/// what is in it. `-` is a tar archive on standard input or output. What goes to a service goes to all its containers, but for
/// `--index`.
#[derive(Debug, Args)]
#[command(override_usage = "bowline cp [OPTIONS] SERVICE:PATH PATH|-\n       bowline cp [OPTIONS] PATH|- SERVICE:PATH")]
pub struct Arguments {
    /// Also containers that `run` made.
    #[arg(long)]
    all: bool,
    /// Keep user and group of every file.
    #[arg(short, long)]
    archive: bool,
    /// Copy what a link leads to, instead of the link.
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Which container of the service.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    index: u32,
    /// From where.
    #[arg(value_name = "FROM")]
    from: String,
    /// To where.
    #[arg(value_name = "TO")]
    to: String,
}

/// One end of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End<'a> {
    /// `web:/path`.
    Service(&'a str, &'a str),
    /// `path` or `-`.
    Here(&'a str),
}

impl<'a> End<'a> {
    /// What stands before the first colon is a service, but for a path that begins with `/` or `.`.
    fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            Some((service, path)) if !service.is_empty() && !text.starts_with(['/', '.']) => {
                Self::Service(service, path)
            }
            _ => Self::Here(text),
        }
    }
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let (service, path) = match (End::parse(&arguments.from), End::parse(&arguments.to)) {
        (End::Service(service, path), End::Here(_)) | (End::Here(_), End::Service(service, path)) => (service, path),
        (End::Service(..), End::Service(..)) => {
            return Err(Failure::new(Exit::Usage, "copying from one service to another is not possible")
                .hint("copy to here first, or `bowline cp a:/x - | bowline cp - b:/`"));
        }
        _ => {
            return Err(Failure::new(Exit::Usage, "neither end is in a service").hint("one of them is SERVICE:PATH"));
        }
    };
    let named = Named::find(global)?;
    block_on(async {
        let engine = connect(global, Purpose::Write).await?;
        let listed = engine.list(named.name()).await?;
        let first = target::any(&named, &listed, service, arguments.index)?;
        let display = Display::new(global);
        if matches!(End::parse(&arguments.from), End::Service(..)) {
            tell(&display, arguments, first, true);
            if !global.dry_run {
                from_container(&engine, arguments, first, path).await?;
            }
            return Ok(Exit::Ok);
        }
        let mut all = vec![first];
        if arguments.index == 0 {
            let others =
                listed.iter().filter(|c| c.service == service && (arguments.all || !c.one_off) && c.id != first.id);
            all.extend(others);
        }
        if all.len() > 1 && arguments.from == "-" {
            let message = format!("{service} has {} containers, and standard input can be read once", all.len());
            return Err(Failure::new(Exit::Usage, message).hint("`--index NUMBER` says which one is meant"));
        }
        for container in all {
            tell(&display, arguments, container, false);
            if !global.dry_run {
                to_container(&engine, arguments, container, path).await?;
            }
        }
        Ok(Exit::Ok)
    })
}

/// ` p-web-1 copy a to p-web-1:/b Copied`, in docker compose's words.
fn tell(display: &Display, arguments: &Arguments, container: &Listed, from: bool) {
    let within = |end: &str| match End::parse(end) {
        End::Service(_, path) => format!("{}:{path}", container.name),
        End::Here(path) => path.to_owned(),
    };
    let (a, b) = (within(&arguments.from), within(&arguments.to));
    // an archive on standard output may end in a terminal's pipe: nothing is said there
    if !(from && arguments.to == "-") {
        display.remark(&format!(" {} copy {a} to {b} Copying", container.name));
    }
}

async fn from_container(engine: &Engine, arguments: &Arguments, container: &Listed, path: &str) -> Result<(), Failure> {
    let id = container.id.as_str();
    let mut path = path.to_owned();
    if arguments.follow_link
        && let Some(stat) = engine.stat_path(id, &path).await?
        && !stat.link_target.is_empty()
    {
        path = stat.link_target;
    }
    let download = engine.get_archive(id, &path).await.map_err(|error| absent(error, container, &path))?;
    if arguments.to == "-" {
        return export::write(download, std::io::stdout().lock()).await;
    }
    archive::unpack(download, Path::new(&arguments.to), path.ends_with("/."), arguments.archive).await
}

/// "Not there", by the names that the person used.
fn absent(error: bowline::engine::Error, container: &Listed, path: &str) -> Failure {
    match error.is_not_found() {
        true => Failure::new(Exit::StepFailed, format!("{} has no {path}", container.name)),
        false => error.into(),
    }
}

async fn to_container(engine: &Engine, arguments: &Arguments, container: &Listed, path: &str) -> Result<(), Failure> {
    let id = container.id.as_str();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let mut stat = engine.stat_path(id, &path).await?;
    let mut real = path.clone();
    if let Some(target) = stat.as_ref().map(|stat| stat.link_target.clone()).filter(|target| !target.is_empty()) {
        stat = engine.stat_path(id, &target).await?;
        real = target;
    }
    let is_directory = stat.as_ref().is_some_and(PathStat::is_directory);
    if arguments.from == "-" {
        if !is_directory {
            let message = format!("{}:{path} is no directory, and an archive is unpacked in one", container.name);
            return Err(Failure::new(Exit::StepFailed, message));
        }
        let pieces = futures_util::stream::unfold(tokio::io::stdin(), |mut input| async {
            let mut buffer = vec![0; 64 * 1024];
            match input.read(&mut buffer).await {
                Ok(0) => None,
                Ok(count) => {
                    buffer.truncate(count);
                    Some((Ok(buffer.into()), input))
                }
                Err(why) => Some((Err(why), input)),
            }
        });
        return Ok(engine.send_archive(id, &real, arguments.archive, pieces).await?);
    }
    let links = if arguments.follow_link { Links::Followed } else { Links::Kept };
    let source = archive::Source::open(Path::new(&arguments.from), links)?;
    let (directory, name) = match (&stat, is_directory) {
        (_, true) => (real.clone(), source.name()),
        (Some(_), false) if source.is_directory() => {
            let message = format!("{}:{path} is a file, and {} a directory", container.name, arguments.from);
            return Err(Failure::new(Exit::StepFailed, message));
        }
        (None, _) if path.ends_with('/') && !source.is_directory() => {
            return Err(Failure::new(Exit::StepFailed, format!("{} has no directory {path}", container.name)));
        }
        _ => {
            let whole = real.trim_end_matches('/');
            let (parent, name) = whole.rsplit_once('/').unwrap_or(("", whole));
            (if parent.is_empty() { "/".to_owned() } else { parent.to_owned() }, Some(name.to_owned()))
        }
    };
    let sent = engine.send_archive(id, &directory, arguments.archive, source.send(name)).await;
    sent.map_err(|error| absent(error, container, &directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_makes_a_service_of_what_is_no_path() {
        assert_eq!(End::parse("web:/etc"), End::Service("web", "/etc"));
        assert_eq!(End::parse("./web:1"), End::Here("./web:1"));
        assert_eq!(End::parse("/a:b"), End::Here("/a:b"));
        assert_eq!(End::parse("-"), End::Here("-"));
        assert_eq!(End::parse("file"), End::Here("file"));
    }
}
