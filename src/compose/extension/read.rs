//! `x-verify` from the tree: checked strictly, for a rule that is not understood proves nothing.

use super::rule::{BadRule, Names, parse};
use super::verify::{HostsRule, Matrix, NameRule, Rule, Rules, Source, Target};
use crate::compose::tree::section;
use crate::compose::value::duration;
use crate::finding::{Code, Finding, Findings, nearest};
use crate::name::{NetworkKey, ServiceName};
use crate::source::{Span, Spanned};
use crate::yaml::{Entry, Node, Style};

/// The keys of `x-verify`.
const KEYS: &[&str] = &["matrix", "timeout", "allow", "deny", "jobs", "names", "hosts"];

/// The keys of `x-verify` under a service.
const SERVICE_KEYS: &[&str] = &["allow", "deny", "names", "hosts"];

/// Reads the rules of a project: those at the top level, and those under its services. What names a service that takes no part now
/// (`inactive`), or a network that only such services use, is checked like the rest and then left out.
pub(in crate::compose) fn rules<'p>(
    tree: &'p Node,
    inactive: impl Iterator<Item = &'p str>,
    networks: impl Iterator<Item = &'p str>,
    findings: &mut Findings,
) -> Rules {
    let active: Vec<&str> = section(tree, "services").map(|(name, _)| &**name).collect();
    let used: Vec<&str> = section(tree, "networks").map(|(name, _)| &**name).collect();
    let names = Names { services: active.iter().copied().chain(inactive).collect(), networks: networks.collect() };
    let mut reader = Reader { names, rules: Rules::default(), findings };
    if let Some(node) = tree.get("x-verify").filter(|n| !n.is_null()) {
        reader.top(node);
    }
    for (name, entry) in section(tree, "services") {
        if let (Some(node), Ok(service)) = (entry.value.get("x-verify"), name.parse()) {
            reader.service(node, &service);
        }
    }
    let mut rules = reader.rules;
    narrow(&mut rules, &active, &used);
    rules
}

/// Leaves out what names a service or a network that takes no part.
fn narrow(rules: &mut Rules, services: &[&str], networks: &[&str]) {
    let service = |name: &ServiceName| services.contains(&name.as_str());
    let network = |key: &NetworkKey| networks.contains(&key.as_str());
    let taking_part = |rule: &Spanned<Rule>| {
        let from = match &rule.value.source {
            Source::Service(name, _) => service(name),
            Source::Network(key) => network(key),
            Source::Host | Source::Outside | Source::Every => true,
        };
        let to = match &rule.value.target {
            Target::Service(name, _) => service(name),
            Target::Network(key) => network(key),
            Target::Host | Target::Internet | Target::Address(_) | Target::Cidr(_) | Target::Name(_) => true,
        };
        from && to && rule.value.via.as_ref().is_none_or(network)
    };
    rules.allow.retain(taking_part);
    rules.deny.retain(taking_part);
    rules.names.retain(|rule| service(&rule.from) && rule.means.iter().all(service));
    let named = |rule: &HostsRule| {
        let names = rule.line.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name);
        names.map(|name| name.strip_suffix(".id").unwrap_or(name)).all(|name| services.contains(&name))
    };
    rules.hosts.retain(|rule| service(&rule.from) && named(rule));
    rules.jobs.retain(|job| service(&job.value));
}

#[derive(Clone, Copy)]
enum Wish {
    Allow,
    Deny,
}

struct Reader<'p, 'f> {
    names: Names<'p>,
    rules: Rules,
    findings: &'f mut Findings,
}

impl Reader<'_, '_> {
    fn top(&mut self, node: &Node) {
        let Some(map) = node.as_map() else {
            self.refuse(node.span, format!("x-verify must be a mapping, not {}", node.kind()), keys_help(KEYS));
            return;
        };
        for (key, Entry { key: at, value }) in map.iter() {
            match &**key {
                "matrix" => self.matrix(value),
                "timeout" => self.timeout(value),
                "allow" => self.list(value, Wish::Allow, None),
                "deny" => self.list(value, Wish::Deny, None),
                "jobs" => self.jobs(value),
                "names" => self.names_of_services(value),
                "hosts" => self.hosts_of_services(value),
                other => self.unknown_key(other, *at, "x-verify", KEYS),
            }
        }
    }

    /// Under a service: a list of what it must reach, or a mapping as at the top without the source.
    fn service(&mut self, node: &Node, service: &ServiceName) {
        if node.as_seq().is_some() {
            return self.list(node, Wish::Allow, Some(service));
        }
        let path = format!("services.{service}.x-verify");
        let Some(map) = node.as_map() else {
            self.refuse(node.span, format!("{path} must be a list of targets, or a mapping"), keys_help(SERVICE_KEYS));
            return;
        };
        for (key, Entry { key: at, value }) in map.iter() {
            match &**key {
                "allow" => self.list(value, Wish::Allow, Some(service)),
                "deny" => self.list(value, Wish::Deny, Some(service)),
                "names" => self.names_of(service, value),
                "hosts" => self.hosts_of(service, value),
                other => self.unknown_key(other, *at, &path, SERVICE_KEYS),
            }
        }
    }

    fn matrix(&mut self, node: &Node) {
        self.rules.matrix = match node.as_str() {
            Some("auto") => Matrix::Auto,
            Some("strict") => Matrix::Strict,
            Some("off") => Matrix::Off,
            _ => {
                let message = "x-verify.matrix is one of auto, strict, off".to_owned();
                self.refuse(node.span, message, "write `matrix: strict`, or leave it out for `auto`");
                return;
            }
        };
    }

    fn timeout(&mut self, node: &Node) {
        match node.as_str().map(duration::parse) {
            Some(Ok(timeout)) => self.rules.timeout = Some(timeout),
            Some(Err(bad)) => self.refuse(node.span, format!("x-verify.timeout: {}", bad.message), bad.help),
            None => self.refuse(node.span, "x-verify.timeout must be a duration".into(), "write a unit: `10s`"),
        }
    }

    fn list(&mut self, node: &Node, wish: Wish, from: Option<&ServiceName>) {
        let Some(items) = node.as_seq() else {
            let message = format!("rules are a list, not {}", node.kind());
            return self.refuse(node.span, message, "write each after a `-`: `- web -> db:5432`");
        };
        for item in items {
            let Some(text) = item.as_str() else {
                let message = format!("a rule is a string, not {}", item.kind());
                self.refuse(item.span, message, "put it in quotes: \"web -> db:5432\"");
                continue;
            };
            match parse(text, from, &self.names) {
                Ok(rules) => self.add(rules, wish, item.span),
                Err(bad) => self.bad_rule(item, text, bad),
            }
        }
    }

    fn add(&mut self, rules: Vec<Rule>, wish: Wish, span: Span) {
        let into = match wish {
            Wish::Allow => &mut self.rules.allow,
            Wish::Deny => &mut self.rules.deny,
        };
        into.extend(rules.into_iter().map(|rule| Spanned::new(rule, span)));
    }

    fn bad_rule(&mut self, item: &Node, text: &str, bad: BadRule) {
        let message = format!("the rule `{text}` cannot be read: {}", bad.message);
        self.refuse(part_of(item, text, &bad), message, bad.help);
    }

    /// `[service]`.
    fn jobs(&mut self, node: &Node) {
        let Some(items) = node.as_seq() else {
            let message = format!("jobs are a list of services, not {}", node.kind());
            return self.refuse(node.span, message, "write `jobs: [migrate]`");
        };
        for item in items {
            if let Some(service) = self.known_service(item) {
                self.rules.jobs.push(Spanned::new(service, item.span));
            }
        }
    }

    fn names_of_services(&mut self, node: &Node) {
        for (name, value) in self.by_service(node, "names") {
            self.names_of(&name, &value);
        }
    }

    /// `{name: service | [service] | null}`.
    fn names_of(&mut self, from: &ServiceName, node: &Node) {
        let Some(map) = node.as_map() else {
            let message = format!("the names that {from} sees are a mapping, not {}", node.kind());
            return self.refuse(node.span, message, "write `name: service`");
        };
        for (name, Entry { value, .. }) in map.iter() {
            let single = std::slice::from_ref(value);
            let meant = value.as_seq().unwrap_or(if value.is_null() { &[] } else { single });
            let means = meant.iter().filter_map(|service| self.known_service(service)).collect::<Vec<_>>();
            if means.len() == meant.len() {
                let rule = NameRule { from: from.clone(), name: name.to_string(), means, span: value.span };
                self.rules.names.push(rule);
            }
        }
    }

    fn hosts_of_services(&mut self, node: &Node) {
        for (name, value) in self.by_service(node, "hosts") {
            self.hosts_of(&name, &value);
        }
    }

    /// `[line]`.
    fn hosts_of(&mut self, from: &ServiceName, node: &Node) {
        for line in node.as_seq().unwrap_or(std::slice::from_ref(node)) {
            let Some(text) = line.as_str() else {
                let message = format!("a line of /etc/hosts is a string, not {}", line.kind());
                self.refuse(line.span, message, "put it in quotes: \"{web} www\"");
                continue;
            };
            if self.placeholders_are_known(text, line.span) {
                self.rules.hosts.push(HostsRule { from: from.clone(), line: text.to_owned(), span: line.span });
            }
        }
    }

    /// `{web}` and `{web.id}` name services.
    fn placeholders_are_known(&mut self, line: &str, span: Span) -> bool {
        for part in line.split('{').skip(1) {
            let Some((name, _)) = part.split_once('}') else {
                self.refuse(
                    span,
                    format!("a `{{` is not closed in `{line}`"),
                    "write `{web}` for its address, `{web.id}` for its short id",
                );
                return false;
            };
            let service = name.strip_suffix(".id").unwrap_or(name);
            if !self.names.services.contains(&service) {
                self.unknown_service(service, span);
                return false;
            }
        }
        true
    }

    /// The entries of a mapping whose keys are services.
    fn by_service(&mut self, node: &Node, key: &str) -> Vec<(ServiceName, Node)> {
        let Some(map) = node.as_map() else {
            let message = format!("x-verify.{key} must be a mapping of services, not {}", node.kind());
            self.refuse(node.span, message, format!("write `{key}: {{web: …}}`"));
            return vec![];
        };
        let mut known = vec![];
        for (name, entry) in map.iter() {
            match name.parse() {
                Ok(service) if self.names.services.contains(&&**name) => known.push((service, entry.value.clone())),
                _ => self.unknown_service(name, entry.key),
            }
        }
        known
    }

    fn known_service(&mut self, node: &Node) -> Option<ServiceName> {
        let name = node.as_str().unwrap_or_default();
        if self.names.services.contains(&name) {
            return name.parse().ok();
        }
        self.unknown_service(name, node.span);
        None
    }

    fn unknown_service(&mut self, name: &str, at: Span) {
        let help = match nearest(name, self.names.services.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the services are: {}", self.names.services.join(", ")),
        };
        self.refuse(at, format!("x-verify names a service `{name}`, which is not there"), help);
    }

    fn unknown_key(&mut self, key: &str, at: Span, path: &str, keys: &[&str]) {
        let help = match nearest(key, keys.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => keys_help(keys),
        };
        self.refuse(at, format!("{path} has no `{key}`"), help);
    }

    fn refuse(&mut self, at: Span, message: String, help: impl Into<String>) {
        self.findings.push(Finding::error(Code::BadVerifyRule, message).at(at).help(help));
    }
}

fn keys_help(keys: &[&str]) -> String {
    format!("its keys are: {}", keys.join(", "))
}

/// The place of a part of a rule, where the text stands in the file as it is; the rule's place otherwise.
fn part_of(item: &Node, text: &str, bad: &BadRule) -> Span {
    let Some(scalar) = item.as_scalar().filter(|s| s.raw() == text) else { return item.span };
    let quote = match scalar.style {
        Style::Plain => 0,
        Style::Single | Style::Double => 1,
        Style::Block => return item.span,
    };
    let start = item.span.start as usize + quote;
    let whole = (item.span.end - item.span.start) as usize;
    if whole != text.len() + 2 * quote || bad.at.is_empty() {
        return item.span;
    }
    Span::new(item.span.file, start + bad.at.start, start + bad.at.end)
}

#[cfg(test)]
mod tests {
    use crate::compose::extension::verify::Matrix;
    use crate::compose::load_text;

    const STACK: &str =
        "services: {web: {image: x, networks: [front]}, db: {image: y, networks: [front]}}\nnetworks: {front: }\n";

    #[test]
    fn rules_are_read_from_the_top_and_from_services() {
        let text = format!(
            "{}\nx-verify:\n  matrix: strict\n  timeout: 5s\n  allow: [web <-> db]\n  deny: [db -> internet]\n  \
            names: {{web: {{db: db, nobody: }}}}\n  hosts: {{web: [\"{{db}} db {{db.id}}\"]}}\n",
            STACK.replace("image: y", "image: y, x-verify: ['web:80']")
        );
        let rules = load_text("c.yaml", &text).project.unwrap().rules;
        assert_eq!((rules.matrix, rules.timeout.map(|t| t.as_secs())), (Matrix::Strict, Some(5)));
        let texts: Vec<&str> = rules.allow.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(texts, ["web -> db", "db -> web", "db -> web:80"]);
        assert_eq!((rules.deny.len(), rules.names.len(), rules.hosts.len()), (1, 2, 1));
        assert!(rules.names[1].means.is_empty());
    }

    #[test]
    fn rules_about_services_that_take_no_part_now_are_left_out_and_typos_in_them_are_not() {
        let text = "services: {web: {image: x}, db: {image: y, profiles: [full], networks: [back]}}\n\
                    networks: {back: }\nx-verify:\n  allow: [web -> db, host -> web]\n  deny: ['@back -> web']\n  \
                    names: {web: {db: db, web: web}, db: {web: web}}\n  hosts: {web: ['{db} db', '{web} web']}\n  jobs: [db]\n";
        let rules = load_text("c.yaml", text).project.unwrap().rules;
        let counts = [rules.allow.len(), rules.deny.len(), rules.names.len(), rules.hosts.len(), rules.jobs.len()];
        assert_eq!(counts, [1, 0, 1, 1, 0]);
        for typo in [text.replace("-> db", "-> dc"), text.replace("@back", "@bck")] {
            assert!(load_text("c.yaml", &typo).project.is_none(), "{typo}");
        }
    }

    #[test]
    fn a_typo_is_found_where_it_stands() {
        for (extension, place, message) in [
            ("{alow: []}", "c.yaml:3:12", "write `allow`"),
            ("{allow: [web -> dv]}", "c.yaml:3:27", "did you mean `db`?"),
            ("{deny: ['web -> @fornt']}", "c.yaml:3:28", "did you mean `front`?"),
            ("{allow: web -> db}", "c.yaml:3:19", "after a `-`"),
            ("{names: {wbe: {a: db}}}", "c.yaml:3:20", "did you mean `web`?"),
            ("{jobs: [wbe]}", "c.yaml:3:19", "did you mean `web`?"),
            ("{jobs: web}", "c.yaml:3:18", "after a `-`"),
            ("{names: {web: {a: dbb}}}", "c.yaml:3:29", "did you mean `db`?"),
            ("{hosts: {web: ['{dbb} x']}}", "c.yaml:3:26", "did you mean `db`?"),
            ("{matrix: sometimes}", "c.yaml:3:20", "auto, strict, off"),
            ("{timeout: 5}", "c.yaml:3:21", "`5s`"),
            ("[web -> db]", "c.yaml:3:11", "`key: value`"),
        ] {
            let loaded = load_text("c.yaml", &format!("{STACK}x-verify: {extension}\n"));
            assert!(loaded.project.is_none(), "{extension}");
            let finding = loaded.findings.iter().next().unwrap();
            assert_eq!(loaded.files.place(finding.at.unwrap()), place, "{extension}: {finding:?}");
            let help = finding.help.as_deref().unwrap();
            assert!(help.contains(message), "{extension}: {help}");
        }
    }
}
