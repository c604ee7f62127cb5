//! One container of a service, as `port`, `cp`, `attach` and their like mean it: by its number, or the first.

use bowline::engine::Listed;

use super::exit::{Exit, Failure};
use super::stack::Named;

/// The container of `service` with this number, or with the lowest where that is 0. One-off containers are none.
///
/// # Errors
/// For a service that is not known, and where there is no such container.
pub fn any<'l>(named: &Named, listed: &'l [Listed], service: &str, index: u32) -> Result<&'l Listed, Failure> {
    find(named, listed, service, index, |_| true, "there is no container of")
}

/// The same among those that run.
///
/// # Errors
/// As [`any`].
pub fn running<'l>(named: &Named, listed: &'l [Listed], service: &str, index: u32) -> Result<&'l Listed, Failure> {
    find(named, listed, service, index, Listed::is_up, "no container runs of")
}

fn find<'l>(
    named: &Named,
    listed: &'l [Listed],
    service: &str,
    index: u32,
    right: impl Fn(&Listed) -> bool,
    none: &str,
) -> Result<&'l Listed, Failure> {
    named.known(&[service.to_owned()], listed)?;
    let number = |container: &Listed| container.replica.as_ref().map_or(0, |replica| replica.number);
    let of_service = listed.iter().filter(|container| container.service == service && !container.one_off);
    let fits = of_service.filter(|container| right(container) && (index == 0 || number(container) == index));
    fits.min_by_key(|container| number(container)).ok_or_else(|| {
        let which = if index == 0 { service.to_owned() } else { format!("{service} with the number {index}") };
        Failure::new(Exit::StepFailed, format!("{none} {which}")).hint("`bowline ps -a` shows what there is")
    })
}
