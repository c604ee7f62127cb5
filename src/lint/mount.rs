//! Mounts that no request to the Engine can say.

use crate::compose::model::{Bind, Mount, MountSource, Project};
use crate::finding::{Code, Finding, Findings};

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
}
