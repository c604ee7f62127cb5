//! The program that bowline carries, and the image it becomes.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::ProbeError;

static PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe"));

/// The repository of the probe's images; the tag is the program's hash.
pub const REPOSITORY: &str = "bowline-probe";
/// The label of the probe's images and containers.
pub const LABEL: &str = "bowline.probe";

/// The program: a static executable for [`platform`].
///
/// # Errors
/// [`ProbeError::NoProgram`] where it could not be built.
pub fn program() -> Result<&'static [u8], ProbeError> {
    if PROGRAM.is_empty() { Err(ProbeError::NoProgram(env!("BOWLINE_PROBE_MISSING").to_owned())) } else { Ok(PROGRAM) }
}

/// What it runs on, in the Engine's words: `linux/amd64`.
pub fn platform() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "linux/amd64",
        "aarch64" => "linux/arm64",
        "riscv64" => "linux/riscv64",
        _ => "another",
    }
}

/// The image's tag: the first 12 digits of the program's SHA-256, so that an image is never another version's.
pub fn tag() -> &'static str {
    static TAG: OnceLock<String> = OnceLock::new();
    TAG.get_or_init(|| Sha256::digest(PROGRAM).iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

/// The image's name.
pub fn image() -> String {
    format!("{REPOSITORY}:{}", tag())
}

/// The image's only file, as the archive that is imported.
///
/// # Errors
/// [`ProbeError::NoProgram`].
pub fn archive() -> Result<Vec<u8>, ProbeError> {
    let program = program()?;
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o755);
    header.set_size(program.len() as u64);
    let mut archive = tar::Builder::new(Vec::with_capacity(program.len() + 4096));
    let written = archive.append_data(&mut header, "probe", program).and_then(|()| archive.into_inner());
    written.map_err(|e| ProbeError::NoProgram(e.to_string()))
}

/// What the import adds to the archive, as lines of a Dockerfile.
pub fn changes() -> Vec<String> {
    vec![r#"ENTRYPOINT ["/probe"]"#.to_owned(), format!("LABEL {LABEL}={}", tag())]
}
