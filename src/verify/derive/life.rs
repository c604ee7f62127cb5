//! Containers run, have done their work, are healthy.

use super::{Draft, Origin, called, replicas};
use crate::compose::model::{Condition, HealthTest, Service};
use crate::verify::check::Expectation;

pub(super) fn derive(draft: &mut Draft<'_>, service: &Service) {
    // a service that another waits for to complete is a job: it is meant to end
    let awaited = draft.project.services.values().find_map(|other| {
        let need = other.depends_on.get(&service.name).filter(|d| d.condition == Condition::Completed)?;
        Some((other.name.clone(), need.span))
    });
    for replica in replicas(service) {
        let who = called(service, &replica);
        match &awaited {
            Some((waiting, span)) => draft.add(
                format!("completed/{who}"),
                format!("{who} has ended with 0"),
                Origin::attribute(waiting, &format!("depends_on.{}", service.name), span.unwrap_or(service.span)),
                Expectation::Completed(replica.clone()),
            ),
            None => draft.add(
                format!("running/{who}"),
                format!("{who} runs"),
                Origin::attribute(&service.name, "", service.span),
                Expectation::Running(replica.clone()),
            ),
        }
        let Some(health) = service.healthcheck.as_ref().filter(|h| h.test != Some(HealthTest::None)) else { continue };
        draft.add(
            format!("healthy/{who}"),
            format!("{who} is healthy"),
            Origin::attribute(&service.name, "healthcheck", health.span),
            Expectation::Healthy(replica),
        );
    }
}
