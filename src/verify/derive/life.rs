//! Containers run, have done their work, are healthy.

use super::{Draft, Origin, called, replicas};
use crate::compose::model::{HealthTest, Service};
use crate::verify::check::Expectation;

pub(super) fn derive(draft: &mut Draft<'_>, service: &Service) {
    let awaited = draft.awaited(&service.name).map(|(waiting, span)| (waiting.clone(), span));
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
        if awaited.is_some() {
            continue;
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
