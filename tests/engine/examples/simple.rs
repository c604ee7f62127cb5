//! The first four lessons: one network, names on the default bridge, ports.

use std::net::IpAddr;

use super::{Example, Stranger, host};

#[test]
fn quickstart() {
    let Some(example) = Example::open("quickstart") else { return };
    example.proves(&[
        "running/web",
        "healthy/web",
        "healthcheck/web",
        "address/web@front",
        "mac/web@front",
        "bridge/web@front",
        "route/web",
        "name/web:client",
        "published/web:18010->80/tcp",
        "outside/web:18010->80/tcp",
        "reach/web->client",
        "reach/host->web",
        "running/client",
        "address/client@front",
        "mac/client@front",
        "bridge/client@front",
        "route/client",
        "name/client:web",
        "reach/client->web",
        "reach/host->client",
        "reach/client->http://web/",
        "reach/host->http://localhost:18010/",
    ]);
    // a remote Engine: every place by a sidecar, the machine beside the host as well
    let by_sidecars = example.run("verify --probe sidecar --format json", 0);
    assert!(by_sidecars.out.contains(r#""outside": "sidecar""#), "{}", by_sidecars.out);
    // the first thing that everybody does wrong: a server for its own container alone. Its health check is content.
    example.remade("httpd -f -p 80", "httpd -f -p 127.0.0.1:80");
    example.refutes(
        &[
            ("published/web:18010->80/tcp", "web: listens on 127.0.0.1:80 only"),
            ("outside/web:18010->80/tcp", "web: listens on 127.0.0.1:80 only"),
            ("reach/client->http://web/", "web: listens on 127.0.0.1:80 only"),
            ("reach/host->http://localhost:18010/", "web: listens on 127.0.0.1:80 only"),
        ],
        &[],
    );
    example.run("up -d", 0);
    // as the page of the lesson breaks it
    example.disconnect("front", "client");
    example.refutes(
        &[
            ("address/client@front", "is on no network"),
            ("mac/client@front", "is on no network"),
            ("bridge/client@front", "is on no network"),
            ("route/client", "is on no network"),
            ("name/client:web", "client is not on front"),
            ("name/web:client", "client is not on front"),
            ("reach/web->client", "client is not on front"),
            ("reach/client->web", "client is not on front"),
            ("reach/host->client", "client is not on front"),
            ("reach/client->http://web/", "does not resolve"),
        ],
        &[],
    );
    let plan = example.run("plan", 2);
    assert!(plan.out.contains("connect client.1 front"), "{}", plan.out);
    example.run("up -d", 0);
    example.run("verify", 0);
    example.leaves_nothing();
}

#[test]
fn default_bridge() {
    let Some(example) = Example::open("default-bridge") else { return };
    example.proves(&[
        "running/one",
        "address/one@bridge",
        "mac/one@bridge",
        "bridge/one@bridge",
        "route/one",
        "reach/one->two",
        "reach/host->one",
        "no-name/one:two",
        "running/two",
        "address/two@bridge",
        "mac/two@bridge",
        "bridge/two@bridge",
        "route/two",
        "reach/two->one",
        "reach/host->two",
    ]);
    // the pair of links: one end is the container's card, the other a port of docker0
    let wire = example.said("bridge/one@bridge", 0);
    assert!(wire.contains("eth0 - veth") && wire.ends_with("- docker0"), "{wire}");
    example.disconnect("bridge", "one");
    // Engine 28 takes its own line out of /etc/hosts as well, and then it finds nobody
    let short = example.container("one").id.short().to_owned();
    let knows_itself = example.hosts("one").iter().any(|line| line.ends_with(&short));
    let open = [("no-name/one:two", "does not even find its own name")];
    example.refutes(
        &[
            ("address/one@bridge", "is on no network"),
            ("mac/one@bridge", "is on no network"),
            ("bridge/one@bridge", "is on no network"),
            ("route/one", "is on no network"),
            ("reach/one->two", "one is not on the default bridge"),
            ("reach/host->one", "one is not on the default bridge"),
            ("reach/two->one", "one is not on the default bridge"),
        ],
        if knows_itself { &[] } else { &open },
    );
    example.run("up -d", 0);
    // somebody gives `one` a name for `two`
    let two = example.address("two", "bridge").to_string();
    let one = example.container("one").id;
    example.docker(&["exec", one.as_str(), "sh", "-c", &format!("echo {two} two >> /etc/hosts")]);
    example.refutes(&[("no-name/one:two", &two)], &[]);
    example.leaves_nothing();
}

/// The lines that the Engine writes for the links of a container: those that lead to `address`.
fn lines(example: &Example, service: &str, address: IpAddr) -> Vec<String> {
    let own = format!("{address} ");
    example.hosts(service).into_iter().filter(|line| line.starts_with(&own)).collect()
}

#[test]
fn links() {
    let Some(example) = Example::open("links") else { return };
    let checks = [
        "running/web",
        "address/web@bridge",
        "mac/web@bridge",
        "bridge/web@bridge",
        "route/web",
        "listens/web:80/tcp",
        "no-hosts/web:web-nasa",
        "no-hosts/web:nasa1515",
        "reach/web->link",
        "reach/web->alias",
        "reach/host->web",
        "running/link",
        "address/link@bridge",
        "mac/link@bridge",
        "bridge/link@bridge",
        "route/link",
        "hosts/link:web-nasa",
        "no-hosts/link:nasa1515",
        "reach/link->web",
        "reach/link->alias",
        "reach/host->link",
        "reach/link->http://web-nasa/",
        "no-name/link:nasa1515",
        "running/alias",
        "address/alias@bridge",
        "mac/alias@bridge",
        "bridge/alias@bridge",
        "route/alias",
        "hosts/alias:nasa1515",
        "reach/alias->web",
        "reach/alias->link",
        "reach/host->alias",
        "reach/alias->http://nasa1515/",
        "hosts-line/alias#1",
    ];
    example.proves(&checks);
    let id = example.container("web").id.short().to_owned();
    let first = example.address("web", "bridge");
    assert_lines(&example, first.into(), &id);

    // the target goes, another takes its address, the target comes back: the lines follow it
    let web = example.container("web").id;
    example.on_engine(async |e| e.kill_container(web.as_str(), "SIGKILL").await.unwrap());
    let mut squatters = vec![];
    let at = |example: &Example, address: &str| {
        let format = "{{range .Containers}}{{.Name}} {{.IPv4Address}}\n{{end}}";
        let members = example.docker(&["network", "inspect", "-f", format, "bridge"]);
        let holder = members.lines().find(|l| l.ends_with(&format!(" {address}/16"))).map(str::to_owned);
        holder.map(|line| line.split(' ').next().unwrap_or_default().to_owned())
    };
    let squatter = loop {
        if let Some(holder) = at(&example, &first.to_string()) {
            break holder;
        }
        assert!(squatters.len() < 20, "nobody is given {first}");
        squatters.push(Stranger::new("squatter", &["--network", "bridge"]));
    };
    example.on_engine(async |e| e.start_container(web.as_str()).await.unwrap());
    let second = example.address("web", "bridge");
    assert_ne!(first, second, "{squatter} has the first");
    example.proves(&checks);
    assert_lines(&example, second.into(), &id);

    // a line that somebody froze: it leads to whoever has the address now; another test's container may have been quicker to take
    // it than ours, and may be gone by now
    let ours = squatters.iter().any(|s| s.name() == squatter);
    let whose = if ours { format!("{squatter} now") } else { String::new() };
    let alias = example.container("alias").id;
    let freeze = format!("sed 's/^{second}/{first}/' /etc/hosts > /tmp/h; cat /tmp/h > /etc/hosts");
    example.docker(&["exec", alias.as_str(), "sh", "-c", &freeze]);
    example.refutes(
        &[
            ("hosts/alias:nasa1515", &format!("the line leads to {first}, which is {whose}")),
            ("hosts-line/alias#1", &first.to_string()),
            ("reach/alias->http://nasa1515/", &first.to_string()),
        ],
        &[],
    );
    // a line that somebody took out
    let cut = "grep -v nasa1515 /etc/hosts > /tmp/h; cat /tmp/h > /etc/hosts";
    example.docker(&["exec", alias.as_str(), "sh", "-c", cut]);
    example.refutes(
        &[
            ("hosts/alias:nasa1515", "no line with nasa1515"),
            ("hosts-line/alias#1", "no line with nasa1515"),
            ("reach/alias->http://nasa1515/", "does not resolve"),
        ],
        &[],
    );
    // as the page says: a restart of the linker writes the file anew
    example.run("restart alias", 0);
    example.run("verify", 0);
    assert_lines(&example, second.into(), &id);
    example.leaves_nothing();
}

/// `IP alias shortid name`, and where the alias is the name `IP name shortid`; the other lines are the names that Compose gives.
fn assert_lines(example: &Example, web: IpAddr, id: &str) {
    let link = lines(example, "link", web);
    assert!(link.contains(&format!("{web} web-nasa {id}")), "{link:?}");
    let alias = lines(example, "alias", web);
    assert!(alias.contains(&format!("{web} nasa1515 {id} web-nasa")), "{alias:?}");
    for line in link.iter().chain(&alias) {
        let fits = line.ends_with(&format!(" {id} web-nasa")) || *line == format!("{web} web-nasa {id}");
        assert!(fits, "{line}");
    }
}

/// The process of docker-proxy that a verdict names for a published address.
fn proxy(said: &str, published: &str) -> u32 {
    let end = format!(" leads {published} to 10.30.4.2");
    let line = said.lines().find(|l| l.starts_with("docker-proxy ") && l.ends_with(&end));
    line.and_then(|l| l.split(' ').nth(1)).and_then(|pid| pid.parse().ok()).unwrap_or_else(|| panic!("{end}: {said}"))
}

#[test]
fn ports() {
    let Some(example) = Example::open("ports") else { return };
    example.proves(&[
        "running/server",
        "address/server@front",
        "mac/server@front",
        "bridge/server@front",
        "route/server",
        "published/server:18040->80/tcp",
        "outside/server:18040->80/tcp",
        "published/server:18041->67/udp",
        "outside/server:18041->67/udp",
        "published/server:127.0.0.1:18042->80/tcp",
        "unpublished/server:127.0.0.1:18042->80/tcp",
        "reach/host->server",
        "reach/host->http://localhost:18040/",
        "reach/host->http://127.0.0.1:18042/",
    ]);
    // one docker-proxy a port and address family, each named with where it leads
    let tcp = example.said("published/server:18040->80/tcp", 0);
    let udp = example.said("published/server:18041->67/udp", 0);
    let local = example.said("published/server:127.0.0.1:18042->80/tcp", 0);
    let named = [
        proxy(&tcp, "0.0.0.0:18040"),
        proxy(&tcp, "[::]:18040"),
        proxy(&udp, "0.0.0.0:18041"),
        proxy(&udp, "[::]:18041"),
        proxy(&local, "127.0.0.1:18042"),
    ];
    for pid in named {
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(command.contains("docker-proxy"), "{pid}: {command}");
    }
    // "killing docker-proxy changes nothing": from outside that is so, on the host it is not
    host(&format!("kill {}", named[0]));
    host(&format!("kill {}", named[2]));
    let gone = "docker-proxy of this port is gone: reached from outside, not from the host";
    example.refutes(
        &[
            ("published/server:18040->80/tcp", gone),
            ("published/server:18041->67/udp", gone),
            ("reach/host->http://localhost:18040/", "127.0.0.1:18040"),
        ],
        &[],
    );
    example.run("restart -t 0 server", 0);
    example.run("verify", 0);
    // open to everybody, where the file says: this machine alone
    example.remade("127.0.0.1:18042:80", "18042:80");
    example.refutes(
        &[
            ("published/server:127.0.0.1:18042->80/tcp", "0.0.0.0:18042"),
            ("unpublished/server:127.0.0.1:18042->80/tcp", ":18042 from outside: answered"),
        ],
        &[],
    );
    // the Engine has the UDP port bound and docker-proxy takes the packets: nobody is there
    example.remade("exec udhcpd -f /tmp/udhcpd.conf", "exec sleep 600");
    example.refutes(
        &[
            ("published/server:18041->67/udp", "server: nothing listens on 67/udp"),
            ("outside/server:18041->67/udp", "server: nothing listens on 67/udp"),
        ],
        &[],
    );
    example.leaves_nothing();
}
