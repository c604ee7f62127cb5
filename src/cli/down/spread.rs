//! `down` of a stack on several hosts.

use bowline::finding::{Code, Findings};
use bowline::plan::Plan;
use bowline::plan::down::{DownOptions, down};
use bowline::plan::joint::{self, HostPlan};
use bowline::state::desired::Desired;
use bowline::state::observed::Observed;

use super::super::args::Global;
use super::super::carry::Stage;
use super::super::display::Display;
use super::super::exit::{Exit, Failure};
use super::super::preflight::Rigour;
use super::super::signals::Signals;
use super::super::spread::{Seat, Spread, joined, on};
use super::super::stack::{no_such_service, service_names};
use super::super::{carry, directory, output};
use super::{Arguments, LOOKS, perform};

/// Takes the stack away on every host, dependents first, over hosts too.
///
/// # Errors
/// An Engine that does not answer, before anything is changed; what could not be taken away.
pub async fn take_away(global: &Global, arguments: &Arguments, spread: &Spread) -> Result<Exit, Failure> {
    if let Some(wrong) = arguments.services.iter().find(|name| !is_known(spread, name)) {
        return Err(no_such_service(wrong, spread.whole.services.keys()));
    }
    let mut signals = Signals::new()?;
    let hosts = spread.take("down", &mut signals).await?;
    let Some((engine, lock)) = hosts.first() else { return Ok(Exit::Ok) };
    let engines = || hosts.iter().map(|(engine, _)| engine);
    let options = super::options(global, arguments, service_names(&arguments.services));
    let observed = spread.observe(engines()).await?;
    let (plan, findings) = plan(spread, &observed, &options)?;
    for (seat, findings) in spread.seats.iter().zip(&findings) {
        output::findings(&seat.stack.files, findings, global.verbose);
    }
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(Exit::Ok);
    }
    let display = Display::new(global);
    if plan.is_empty() {
        display.remark(&format!("nothing of {} is there", spread.name()));
    }
    let stage = Stage { hosts: &hosts, ..Stage::new(global, engine, &display, lock) };
    perform(stage, &plan, &mut signals).await?;
    // what a killed `up` had asked of an Engine may appear while the rest goes
    let late = DownOptions { images: None, ..options };
    for _ in 0..LOOKS {
        let observed = spread.observe(engines()).await?;
        let (plan, _) = self::plan(spread, &observed, &late)?;
        if plan.is_empty() {
            break;
        }
        perform(stage, &plan, &mut signals).await?;
    }
    let stays = findings.iter().flat_map(Findings::iter).any(|finding| finding.code == Code::StillUsed);
    Ok(if stays { Exit::Leftovers } else { Exit::Ok })
}

fn is_known(spread: &Spread, name: &str) -> bool {
    spread.services().contains(name) || spread.whole.inactive.iter().any(|inactive| inactive == name)
}

/// The plan over all hosts, and what is told of each.
fn plan(spread: &Spread, observed: &[Observed], options: &DownOptions) -> Result<(Plan, Vec<Findings>), Failure> {
    let mut told = vec![];
    let mut plans = vec![];
    for (seat, observed) in spread.seats.iter().zip(observed) {
        let mut findings = Findings::new();
        let file = everywhere(spread, seat);
        let plan = down(spread.name(), Some(&file), observed, options, &mut findings).map_err(carry::flaw)?;
        let checked = directory::check(&seat.global, &seat.stack, observed, &plan, Rigour::Refuse);
        checked.map_err(|why| on(&seat.name, why))?;
        plans.push(HostPlan { host: seat.name.clone(), plan, observed });
        told.push(findings);
    }
    Ok((joined(joint::down(plans, &spread.needs))?, told))
}

/// A service that the file placed here before is none that nobody knows: it goes too.
fn everywhere(spread: &Spread, seat: &Seat) -> Desired {
    let mut file = seat.stack.desired.clone();
    let others = spread.whole.services.keys().filter(|name| !file.services.contains(name));
    file.inactive.extend(others.cloned().collect::<Vec<_>>());
    file
}
