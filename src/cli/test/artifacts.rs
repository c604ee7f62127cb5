//! What is kept of a failed run: logs, inspections, health logs, the plan, the verdicts.

use std::path::Path;

use bowline::engine::{LogOptions, Origin};
use bowline::report::verification::Report;
use bowline::stack::Running;

use super::super::exit::Failure;

/// Writes it all to a directory, which is made. What cannot be had is passed over where something else can.
pub async fn collect(
    running: &Running,
    directory: &Path,
    plan: &str,
    verification: Option<&Report>,
) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)?;
    if !plan.is_empty() {
        std::fs::write(directory.join("plan.txt"), plan)?;
    }
    if let Some(report) = verification {
        std::fs::write(directory.join("verification.json"), report.json())?;
    }
    let engine = running.engine();
    for container in engine.list(running.name()).await? {
        let file = |end: &str| directory.join(format!("{}{end}", container.name));
        if let Ok(lines) = engine.read_lines(Origin::from(&container), &LogOptions::default()).await {
            let text: String = lines.iter().map(|line| format!("{} {}\n", line.time, line.text)).collect();
            std::fs::write(file(".log"), text)?;
        }
        if let Some(inspection) = engine.inspection(container.id.as_str()).await? {
            if let Some(health) = inspection.pointer("/State/Health").filter(|health| !health.is_null()) {
                std::fs::write(file(".health.json"), format!("{health:#}\n"))?;
            }
            std::fs::write(file(".inspect.json"), format!("{inspection:#}\n"))?;
        }
    }
    Ok(())
}
