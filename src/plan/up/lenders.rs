//! Whose namespaces and volumes others share: they have to be there when the plan is done.

use super::fate::Fates;
use super::work::Work;
use crate::finding::{Code, Finding, Findings};
use crate::name::Replica;
use crate::state::desired::{Attachment, DesiredContainer, LinkTarget};

impl<'a> Work<'a> {
    /// Says which containers share something of one that will not be there: true where there is one, and no plan.
    pub(super) fn report_missing_lenders(&self, fates: &Fates<'a>, findings: &mut Findings) -> bool {
        let mut any = false;
        for fate in fates.values() {
            for (lender, field) in lenders(fate.wanted).filter(|(lender, _)| !self.will_be_there(lender, fates)) {
                any = true;
                let (service, other) = (&fate.wanted.replica.service, &lender.service);
                let message = format!("services.{service}.{field} is shared with `{other}`, which has no container");
                let finding = Finding::error(Code::LenderMissing, message).at(fate.wanted.span_of(field));
                findings.push(match self.desired.containers.contains_key(lender) {
                    true => finding.help(format!("start `{other}` as well: leave `--no-deps` out")),
                    false => finding.help(format!("give it one: `scale: 1` for `{other}`, or `--scale {other}=1`")),
                });
            }
        }
        any
    }

    /// Whether a link of the default bridge leads to somebody: docker compose leaves out those that do not.
    pub(super) fn is_linked(&self, end: &LinkTarget, fates: &Fates<'a>) -> bool {
        match end {
            LinkTarget::Replica(replica) => self.will_be_there(replica, fates),
            LinkTarget::External(_) => true,
        }
    }

    /// Whether the project has this container when the plan is done.
    fn will_be_there(&self, replica: &Replica, fates: &Fates<'a>) -> bool {
        let stays =
            |found: &&crate::state::observed::ObservedContainer| found.replica == *replica && !self.is_surplus(found);
        fates.contains_key(replica) || self.observed.containers.iter().any(|found| stays(&found))
    }
}

/// The containers that this one shares something of, with the attribute that says so.
pub(super) fn lenders(wanted: &DesiredContainer) -> impl Iterator<Item = (&Replica, &'static str)> {
    let network = match &wanted.attachment {
        Attachment::Replica(owner) => Some((owner, "network_mode")),
        _ => None,
    };
    network.into_iter().chain(wanted.borrows.iter().map(|borrow| (&borrow.from, borrow.what.field())))
}
