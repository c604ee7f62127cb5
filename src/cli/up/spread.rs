//! `up` and `plan` of a stack on several hosts: a plan for each, joined to one.

use bowline::compose::model::Need;
use bowline::engine::Engine;
use bowline::name::ServiceName;
use bowline::plan::joint::{self, HostPlan};
use bowline::plan::up::{Reach, UpOptions};
use bowline::plan::{Plan, images};
use bowline::state::observed::Observed;

use super::super::args::Global;
use super::super::carry::{self, Stage};
use super::super::display::Display;
use super::super::engine::Purpose;
use super::super::exit::{Exit, Failure};
use super::super::preflight::{self, Rigour};
use super::super::signals::Signals;
use super::super::spread::{Seat, Spread, joined, on};
use super::super::stack::no_such_service;
use super::super::{directory, output};
use super::{Arguments, tell_why};

/// Plans on every host, holds each plan against its host, and joins them.
///
/// # Errors
/// What stands in the way, on whichever host: nothing is changed anywhere.
pub async fn look(spread: &Spread, options: &UpOptions, rigour: Rigour) -> Result<Plan, Failure> {
    let engines = spread.connect(Purpose::Read).await?;
    let observed = spread.observe(&engines).await?;
    let plans = plans(spread, &observed, options)?;
    check(spread, engines.iter(), &plans, rigour, rigour).await?;
    joined(joint::up(plans, &needs(spread, options), options.wait_timeout))
}

/// Holds each plan against its host: whose stack it is there, and what would stand in the way.
async fn check(
    spread: &Spread,
    engines: impl Iterator<Item = &Engine>,
    plans: &[HostPlan<'_>],
    whose: Rigour,
    rigour: Rigour,
) -> Result<(), Failure> {
    for ((seat, engine), part) in spread.seats.iter().zip(engines).zip(plans) {
        let (global, stack) = (&seat.global, &seat.stack);
        directory::check(global, stack, part.observed, &part.plan, whose).map_err(|why| on(&seat.name, why))?;
        let checked = preflight::check(global, engine, stack, part.observed, &part.plan, rigour).await;
        checked.map_err(|why| on(&seat.name, why))?;
    }
    Ok(())
}

/// Brings the stack up on every host.
///
/// # Errors
/// As [`look`]; a step that failed.
pub async fn converge(
    global: &Global,
    arguments: &Arguments,
    spread: &Spread,
    options: &UpOptions,
) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let hosts = spread.take("up", &mut signals).await?;
    let Some((engine, lock)) = hosts.first() else { return Ok(Exit::Ok) };
    let mut observed = spread.observe(hosts.iter().map(|(engine, _)| engine)).await?;
    let plans = plans(spread, &observed, options)?;
    let rigour = Rigour::of(arguments.no_preflight);
    check(spread, hosts.iter().map(|(engine, _)| engine), &plans, Rigour::Refuse, rigour).await?;
    let mut plan = joined(joint::up(plans, &needs(spread, options), options.wait_timeout))?;
    if global.dry_run {
        output::answer(&plan.to_string())?;
        return Ok(Exit::Ok);
    }
    let display = Display::new(global).quiet_pull(arguments.changes.quiet_pull);
    let health = arguments.health.into();
    let stage = Stage { health, hosts: &hosts, ..Stage::new(global, engine, &display, lock) };
    if refresh(stage, spread, &observed, options, &mut signals).await? {
        observed = spread.observe(hosts.iter().map(|(engine, _)| engine)).await?;
        plan = anew(spread, &observed, options)?;
    }
    tell_why(&plan, &display);
    if plan.is_empty() {
        display.remark(&format!("{} is as declared: nothing to do", spread.name()));
        return Ok(Exit::Ok);
    }
    let outcomes = carry::carry_out(stage, &plan, &mut signals, std::future::pending()).await;
    if outcomes.has_stuck() {
        observed = spread.observe(hosts.iter().map(|(engine, _)| engine)).await?;
        let plan = anew(spread, &observed, options)?;
        let outcomes = carry::carry_out(stage, &plan, &mut signals, std::future::pending()).await;
        return carry::verdict(&plan, &outcomes).map(|()| Exit::Ok);
    }
    carry::verdict(&plan, &outcomes).map(|()| Exit::Ok)
}

/// Makes the images that are asked for anew, on every host; whether there were any.
async fn refresh(
    stage: Stage<'_>,
    spread: &Spread,
    observed: &[Observed],
    options: &UpOptions,
    signals: &mut Signals,
) -> Result<bool, Failure> {
    let plans = spread.plans(observed, |seat, observed| {
        images::refresh(&seat.stack.desired, observed, &of_host(seat, spread, options)).map_err(carry::flaw)
    })?;
    let plan = joined(joint::up(plans, &[], None))?;
    if plan.is_empty() {
        return Ok(false);
    }
    carry::perform(stage, &plan, signals).await?;
    Ok(true)
}

fn anew(spread: &Spread, observed: &[Observed], options: &UpOptions) -> Result<Plan, Failure> {
    let options = UpOptions { refreshed: true, ..options.clone() };
    joined(joint::up(plans(spread, observed, &options)?, &needs(spread, &options), options.wait_timeout))
}

fn plans<'o>(spread: &Spread, observed: &'o [Observed], options: &UpOptions) -> Result<Vec<HostPlan<'o>>, Failure> {
    spread.plans(observed, |seat, observed| {
        not_moved(spread, seat, observed, options)?;
        super::plan(&seat.global, &seat.stack, observed, &of_host(seat, spread, options))
    })
}

/// The flags as one host's plan takes them: of the named services its own, and those that another host's wait for.
fn of_host(seat: &Seat, spread: &Spread, options: &UpOptions) -> UpOptions {
    let own = |name: &ServiceName| seat.stack.project.services.contains_key(name);
    let named = options.services.iter().filter(|name| own(name)).cloned();
    let awaited = needs(spread, options).into_iter().map(|need| need.needed).filter(own);
    let services = match options.services.is_empty() {
        true => vec![],
        false => named.chain(awaited).collect(),
    };
    UpOptions { services, ..options.clone() }
}

/// What is waited for over hosts: nothing but the named with `--no-deps`.
fn needs(spread: &Spread, options: &UpOptions) -> Vec<Need> {
    let named = |name: &ServiceName| options.reach == Reach::Dependencies || options.services.contains(name);
    spread.needs.iter().filter(|need| named(&need.service) && named(&need.needed)).cloned().collect()
}

/// A service that the file places elsewhere now would run twice, with its address on one wire.
fn not_moved(spread: &Spread, seat: &Seat, observed: &Observed, options: &UpOptions) -> Result<(), Failure> {
    let services = spread.services();
    let is_moved = |service: &ServiceName| {
        services.contains(service.as_str()) && !seat.stack.project.services.contains_key(service)
    };
    let moved = observed.containers.iter().find(|container| is_moved(&container.replica.service));
    match moved.filter(|_| !options.remove_orphans) {
        None => Ok(()),
        Some(container) => {
            let (name, service) = (&container.name, &container.replica.service);
            let message = format!("container `{name}` is here, and the file places {service} on another host");
            Err(Failure::new(Exit::Preflight, message)
                .hint("`--remove-orphans` takes it away first; nothing was changed"))
        }
    }
}

/// Whether the flags ask for what is done on one host alone so far.
///
/// # Errors
/// By name.
pub fn refuse(arguments: &Arguments, spread: &Spread) -> Result<(), Failure> {
    let not_yet = |what: &str, hint: &str| {
        Err(Failure::new(Exit::Usage, format!("{what} is done on one host alone so far, and this stack is on several"))
            .hint(hint.to_owned()))
    };
    if arguments.watch {
        return not_yet("`--watch`", "leave it out, or `--on HOST` says where");
    }
    if !(arguments.detach || arguments.wait || arguments.verify || arguments.no_start) {
        return not_yet("following the output", "`-d` leaves it running; `--on HOST logs -f` follows that host's");
    }
    let mut scaled = arguments.changes.scale.iter().map(|(service, _)| service);
    match scaled.find(|name| !spread.whole.services.contains_key(*name)) {
        Some(wrong) => Err(no_such_service(wrong.as_str(), spread.whole.services.keys())),
        None => Ok(()),
    }
}
