//! The sidecar that probes ride on.

use bowline::engine::{Piece, SidecarSpec};
use tokio::io::AsyncWriteExt;

use crate::stack::{block_on, engine};

#[test]
fn a_sidecar_answers_on_its_input_and_goes_when_it_is_closed() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let spec = SidecarSpec {
            image: "busybox:latest".into(),
            command: ["sh", "-c", "cat; echo end >&2"].map(str::to_owned).to_vec(),
            network_mode: "none".into(),
            labels: [("bowline.test".to_owned(), "sidecar".to_owned())].into(),
            ..SidecarSpec::default()
        };
        let mut sidecar = engine.run_sidecar(&spec).await.unwrap();
        sidecar.ends.input.write_all(b"one\n").await.unwrap();
        sidecar.ends.input.flush().await.unwrap();
        assert_eq!(sidecar.ends.next().await.unwrap(), Some(Piece::Output("one\n".into())));
        sidecar.ends.input.shutdown().await.unwrap();
        assert_eq!(sidecar.ends.next().await.unwrap(), Some(Piece::Error("end\n".into())));
        assert_eq!(sidecar.ends.next().await.unwrap(), None);
        engine.remove_container(sidecar.id.as_str(), true, true).await.unwrap();
        assert!(engine.inspect(sidecar.id.as_str()).await.unwrap().is_none());
    });
}

#[test]
fn a_sidecar_beside_nobody_leaves_nothing() {
    block_on(async {
        let Some(engine) = engine().await else { return };
        let spec = SidecarSpec {
            image: "busybox:latest".into(),
            network_mode: "container:bowline-nobody".into(),
            labels: [("bowline.test".to_owned(), "nobody".to_owned())].into(),
            ..SidecarSpec::default()
        };
        assert!(engine.run_sidecar(&spec).await.is_err());
        let list = ["ps", "-aq", "--filter", "label=bowline.test=nobody"];
        let left = std::process::Command::new("docker").args(list).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&left.stdout), "");
    });
}
