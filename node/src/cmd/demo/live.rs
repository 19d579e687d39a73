//! The line that tells how the demo goes.

use futures::future::join_all;

use crate::cmd::human::{count, counted, rate};
use crate::http::client;
use crate::status::{NodeStatus, SessionRole};

/// Asks the nodes at these addresses, and puts their answers in a line.
pub(super) async fn line(nodes: &[String]) -> String {
    let asked = nodes.iter().map(|http| async move {
        client::get_json::<NodeStatus>(http.parse().ok()?, "/api/status").await.ok()
    });
    text(&join_all(asked).await.into_iter().flatten().collect::<Vec<_>>())
}

fn text(nodes: &[NodeStatus]) -> String {
    let sessions = || nodes.iter().flat_map(|node| &node.sessions);
    let gateways = || sessions().filter(|session| session.role == SessionRole::Gateway);
    let root = sessions().find(|session| session.role == SessionRole::Root);
    format!(
        "{} answer, {} deep, root sends {}; at the gateways {} blocks, {} rebuilt, {} lost; {}",
        counted(nodes.len() as u64, "node"),
        counted(gateways().filter_map(|session| session.depth).max().unwrap_or(0).into(), "link"),
        rate(root.map_or(0, |root| root.upload_bps)),
        count(gateways().map(|session| session.blocks).sum()),
        count(gateways().map(|session| session.parity_used).sum()),
        count(gateways().map(|session| session.blocks_lost).sum()),
        counted(gateways().map(|session| u64::from(session.viewers)).sum(), "viewer"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::SessionStatus;

    #[test]
    fn the_line_sums_up() {
        let node = |role, depth, blocks, viewers| NodeStatus {
            sessions: vec![SessionStatus {
                role,
                depth: Some(depth),
                blocks,
                viewers,
                upload_bps: 3_400_000,
                ..SessionStatus::default()
            }],
            ..NodeStatus::default()
        };
        let nodes = [
            node(SessionRole::Root, 0, 700, 0),
            node(SessionRole::Helper, 9, 0, 0),
            node(SessionRole::Gateway, 2, 600, 0),
            node(SessionRole::Gateway, 3, 601, 1),
        ];
        assert_eq!(
            text(&nodes),
            "4 nodes answer, 3 links deep, root sends 3.40 Mbit/s; at the gateways 1,201 blocks, \
             0 rebuilt, 0 lost; 1 viewer"
        );
        assert!(text(&[]).starts_with("0 nodes answer, 0 links deep"));
    }
}
