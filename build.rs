//! Builds the probe: `src/probe/program`, std only, into one static program, which `src/probe/carried.rs` takes in.
//!
//! Where that cannot be done (another system, no static libc) bowline is built without it, and says why when it is asked for.
//!
//! And tells the linker which functions everyday commands run, and which constants they read (`scripts/order`), where it lays them as it is
//! told. Their profile is scripts/release's.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The functions, one a line.
const FUNCTIONS: &str = "src/functions.order";
/// The constants, one a line, as a linker's script tells of them.
const CONSTANTS: &str = "src/constants.order";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(probe_program)");
    for path in ["build.rs", "src/probe/program", "src/probe/json.rs", "src/probe/answer.rs", "src/probe/question.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for list in [FUNCTIONS, CONSTANTS] {
        println!("cargo::rerun-if-changed={list}");
    }
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let program = PathBuf::from(variable("OUT_DIR")).join("probe");
    let why = build(&program, &variable).err().unwrap_or_default();
    if !why.is_empty() {
        println!("cargo::warning=bowline is built without its probe: {why}");
        // taken in as nothing; the reason is told to whoever needs it
        if let Err(e) = fs::write(&program, b"") {
            println!("cargo::error=cannot write {}: {e}", program.display());
        }
    }
    println!("cargo::rustc-env=BOWLINE_PROBE_MISSING={why}");
    if variable("PROFILE") == "release" && variable("OPT_LEVEL") == "3" {
        for flags in [functions(&variable), relocations(&variable)].into_iter().flatten() {
            flags.iter().for_each(|flag| println!("cargo::rustc-link-arg-bins={flag}"));
        }
    }
}

/// Has the functions laid in their order, if the linker can. In other builds they have other names.
fn functions(variable: &dyn Fn(&str) -> String) -> Option<Vec<String>> {
    let list = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join(FUNCTIONS);
    let flags =
        vec![format!("-Wl,--symbol-ordering-file={}", list.display()), "-Wl,--no-warn-symbol-ordering".to_owned()];
    tried(&flags, variable).map(|_| flags)
}

/// Has the table of relocations packed, which is read whole at each start, and the constants laid behind it, if the linker and the C library
/// of this machine can.
fn relocations(variable: &dyn Fn(&str) -> String) -> Option<Vec<String>> {
    let packed = "-Wl,-z,pack-relative-relocs".to_owned();
    let runs = |flags: &[String]| {
        let program = tried(flags, variable).filter(|_| variable("TARGET") == variable("HOST"));
        program.is_some_and(|program| Command::new(program).status().is_ok_and(|status| status.success()))
    };
    let both = constants(variable).map(|script| vec![packed.clone(), format!("-Wl,-T,{}", script.display())]);
    both.into_iter().chain([vec![packed]]).find(|flags| runs(flags))
}

/// A script for the linker that takes the constants from among the others, and with them what it makes one of wherever it is the same.
fn constants(variable: &dyn Fn(&str) -> String) -> Option<PathBuf> {
    let list = fs::read_to_string(CONSTANTS).ok()?;
    let script = PathBuf::from(variable("OUT_DIR")).join("constants.ld");
    let text = format!(
        "SECTIONS {{ .rodata.used : {{\n{list}*(.rodata.cst*)\n*(.rodata.str*)\n}} }} INSERT AFTER .relr.dyn;\n"
    );
    fs::write(&script, text).ok()?;
    Some(script)
}

/// An empty program, linked with these flags, if it can be: for which linker it is only the compiler knows.
fn tried(flags: &[String], variable: &dyn Fn(&str) -> String) -> Option<PathBuf> {
    let out = PathBuf::from(variable("OUT_DIR"));
    let (source, program) = (out.join("empty.rs"), out.join("empty"));
    fs::write(&source, "fn main() {}").ok()?;
    let mut compile = Command::new(variable("RUSTC"));
    compile.args(["--crate-type=bin", "--target", &variable("TARGET")]);
    compile.args(variable("CARGO_ENCODED_RUSTFLAGS").split('\u{1f}').filter(|flag| !flag.is_empty()));
    compile.args(linker(variable)).args(flags.iter().map(|flag| format!("-Clink-arg={flag}")));
    let output = compile.arg("-o").arg(&program).arg(&source).output().ok()?;
    output.status.success().then_some(program)
}

/// The linker that cargo was told to use.
fn linker(variable: &dyn Fn(&str) -> String) -> Option<String> {
    Some(variable("RUSTC_LINKER")).filter(|linker| !linker.is_empty()).map(|linker| format!("-Clinker={linker}"))
}

/// Compiles it for the target, small for a release, quickly otherwise.
fn build(program: &Path, variable: &dyn Fn(&str) -> String) -> Result<(), String> {
    let (system, machine) = (variable("CARGO_CFG_TARGET_OS"), variable("CARGO_CFG_TARGET_ARCH"));
    if system != "linux" || !matches!(machine.as_str(), "x86_64" | "aarch64" | "riscv64") {
        return Err(format!("it runs on 64-bit Linux, not on {system} {machine}"));
    }
    let mut compile = Command::new(variable("RUSTC"));
    compile.args(["--edition=2024", "--crate-name=probe", "--crate-type=bin", "--cfg=probe_program"]);
    compile.arg(format!("--target={}", variable("TARGET")));
    compile.args(["-Ctarget-feature=+crt-static", "-Crelocation-model=static", "-Cpanic=abort", "-Cstrip=symbols"]);
    if variable("PROFILE") == "release" {
        compile.args(["-Copt-level=z", "-Clto=fat", "-Ccodegen-units=1"]);
    } else {
        compile.args(["-Copt-level=1", "-Ccodegen-units=4"]);
    }
    compile.args(linker(variable));
    compile.arg("-o").arg(program).arg("src/probe/program/main.rs");
    let output = compile.output().map_err(|e| format!("cannot run the compiler: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let error = said.lines().find(|line| line.starts_with("error")).unwrap_or("the compiler failed");
    Err(error.to_owned())
}
