//! Mounts that no request to the Engine can say.

use crate::compose::model::{Bind, Mount, MountSource, Project, Service, VolumesFrom};
use crate::finding::{Code, Finding, Findings};
use crate::source::Spanned;

/// An SELinux label travels only in `HostConfig.Binds` (`source:target:z`), which has no `recursive` and no place for a
/// path with a colon.
pub(super) fn check_selinux(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        for mount in &service.mounts {
            let MountSource::Bind(bind) = &mount.value.source else { continue };
            let (Some(label), Some(what)) = (&bind.selinux, what_it_excludes(&mount.value, bind)) else { continue };
            let message = format!(
                "services.{}: the mount at {} has the SELinux label `{label}` and {what}, and the Engine's API cannot say both",
                service.name, mount.value.target
            );
            let finding = Finding::error(Code::Conflict, message).at(mount.span);
            findings.push(finding.help("leave one of them out; `chcon` on the host can set the label instead"));
        }
    }
}

fn what_it_excludes(mount: &Mount, bind: &Bind) -> Option<String> {
    if let Some(recursive) = &bind.recursive {
        return Some(format!("`recursive: {recursive}`"));
    }
    let paths = [bind.source.to_string_lossy(), mount.target.as_str().into()];
    paths.iter().any(|path| path.contains(':')).then(|| "a path with a colon".to_owned())
}

/// Memory that is mounted by an entry of `volumes` has no name, by which the Engine looks for what a service lends: it says `get: no such volume`
/// when it makes the borrower (20.10 and 28.5). What the service has by `tmpfs` is lent to nobody, and is in nobody's way.
pub(super) fn check_lent_memory(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        for entry in &service.volumes_from {
            let Some(name) = VolumesFrom::of(entry).service() else { continue };
            let lender = project.services.values().find(|lender| lender.name == *name);
            let Some((lender, memory)) = lender.and_then(|lender| Some((lender, memory_of(lender)?))) else { continue };
            let (borrower, target) = (&service.name, &memory.value.target);
            let message =
                format!("{borrower} has the volumes of {name}, and the Engine cannot lend its tmpfs at {target}");
            let finding =
                Finding::error(Code::Conflict, message).at(entry.span).also(memory.span, "memory, which has no name");
            findings.push(
                finding.help(format!("write it as `tmpfs` of {}: {borrower} is made then, without it", lender.name)),
            );
        }
    }
}

fn memory_of(service: &Service) -> Option<&Spanned<Mount>> {
    service.mounts.iter().find(|mount| matches!(mount.value.source, MountSource::Memory { .. }))
}

#[cfg(test)]
mod tests {
    use crate::compose::load_text;
    use crate::finding::Code;

    #[test]
    fn a_label_and_what_cannot_stand_beside_it_are_refused() {
        let conflicts = |options: &str| {
            let text = format!(
                "services: {{a: {{image: x, volumes: [{{type: bind, source: /s, target: /t, bind: {{{options}}}}}]}}}}"
            );
            let loaded = load_text("c.yaml", &text);
            loaded.findings.iter().filter(|f| f.code == Code::Conflict).count()
        };
        assert_eq!(conflicts("selinux: z, recursive: disabled"), 1);
        assert_eq!(conflicts("selinux: z, create_host_path: false"), 0);
        assert_eq!(conflicts("recursive: disabled"), 0);
        let colon =
            "services: {a: {image: x, volumes: [{type: bind, source: '/s:t', target: /t, bind: {selinux: Z}}]}}";
        assert_eq!(load_text("c.yaml", colon).findings.iter().filter(|f| f.code == Code::Conflict).count(), 1);
    }

    #[test]
    fn memory_of_a_lender_is_refused_where_it_would_have_to_have_a_name() {
        let conflicts = |lender: &str, entry: &str| {
            let text = format!("services: {{a: {{image: x, {lender}}}, b: {{image: x, volumes_from: ['{entry}']}}}}");
            let loaded = load_text("c.yaml", &text);
            let told = loaded.findings.iter().filter(|f| f.code == Code::Conflict).map(|f| f.message.clone());
            told.collect::<Vec<_>>()
        };
        let long = "volumes: [/v, {type: tmpfs, target: /t}]";
        let told = "b has the volumes of a, and the Engine cannot lend its tmpfs at /t";
        assert_eq!(conflicts(long, "a"), [told]);
        assert_eq!(conflicts(long, "a:ro"), [told]);
        assert!(conflicts(long, "container:a").is_empty());
        let text =
            format!("services: {{container: {{image: x, {long}}}, b: {{image: x, volumes_from: ['container:a']}}}}");
        assert!(
            load_text("c.yaml", &text).findings.iter().all(|f| f.code != Code::Conflict),
            "a service of that name lends nothing"
        );
        assert!(conflicts("volumes: [/v], tmpfs: /t", "a").is_empty());
    }
}
