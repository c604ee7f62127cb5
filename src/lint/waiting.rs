//! Waits that can never end.

use crate::compose::model::{Condition, HealthTest, Project, Restart};
use crate::finding::{Code, Finding, Findings};

/// `service_healthy` on a service whose check is switched off, or (as far as the file says) is not there.
pub(super) fn check_health_waits(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        for (name, dependency) in service.depends_on.iter().filter(|(_, d)| d.condition == Condition::Healthy) {
            let Some(target) = project.services.get(name) else { continue };
            let finding = match &target.healthcheck {
                Some(check) if check.value.test == Some(HealthTest::None) => Finding::error(
                    Code::NeverHealthy,
                    format!("{} waits for {name} to be healthy, whose health check is switched off", service.name),
                )
                .also(check.span, "switched off here")
                .help(format!("wait for `service_started`, or give {name} a check")),
                Some(_) => continue,
                None => Finding::warning(
                    Code::NeverHealthy,
                    format!(
                        "{} waits for {name} to be healthy, and the file gives {name} no health check",
                        service.name
                    ),
                )
                .also(target.span, "no `healthcheck` here")
                .help(format!("add a `healthcheck` to {name}, unless its image has one")),
            };
            findings.push(finding.at(dependency.span.unwrap_or(service.span)));
        }
    }
}

/// `service_completed_successfully` on a service that is started again whenever it ends.
pub(super) fn check_completion_waits(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        for (name, dependency) in service.depends_on.iter().filter(|(_, d)| d.condition == Condition::Completed) {
            let restart = project.services.get(name).and_then(|t| t.restart.as_ref());
            let Some(restart) = restart.filter(|r| matches!(r.value, Restart::Always | Restart::UnlessStopped)) else {
                continue;
            };
            findings.push(
                Finding::error(
                    Code::NeverHealthy,
                    format!("{} waits for {name} to end, which is started again whenever it does", service.name),
                )
                .at(dependency.span.unwrap_or(service.span))
                .also(restart.span, "started again by this")
                .help("take `restart: on-failure`, or none"),
            );
        }
    }
}
