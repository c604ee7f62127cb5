//! Builds the probe's static program.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(probe_program)");
}
