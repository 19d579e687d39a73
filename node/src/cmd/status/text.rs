//! A node's status as a person reads it.

use std::fmt::Write;

use crate::cmd::human::{bytes, count, counted, rate, short, span};
use crate::status::{LinkStatus, NodeStatus, SessionRole, SessionStatus, StripeStatus};

/// The whole status.
pub(super) fn of(status: &NodeStatus) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Banyan {}, node {}, up {} (process {})",
        status.version,
        short(&status.node),
        span(status.uptime_s),
        status.pid
    );
    let reached = match status.addresses.as_slice() {
        [] => "no address known that others reach".to_owned(),
        addresses => addresses.join(", "),
    };
    let _ = writeln!(out, "  UDP port  {}: {reached}", status.port);
    let _ = writeln!(out, "  pages     http://{}/", status.http);
    let _ = writeln!(
        out,
        "  giving    {} of {}, taking {}",
        rate(status.upload_bps),
        rate(status.upload_limit_bps),
        rate(status.download_bps)
    );
    if (1..status.upload_limit_bps).contains(&status.upload_expected_bps) {
        let carries = rate(status.upload_expected_bps);
        let _ = writeln!(out, "  uplink    full: carries about {carries} for others");
    }
    if status.sessions.is_empty() {
        out.push_str("\nNo sessions. `banyan up INVITE` helps one.\n");
    }
    for session in &status.sessions {
        out.push('\n');
        out.push_str(&of_session(session));
    }
    if !status.links.is_empty() {
        let rows = status.links.iter().map(of_link).collect::<Vec<_>>();
        let head = ["link to", "address", "round trip", "sent", "received", "lost"];
        let _ = write!(out, "\n{}", table(&head.map(str::to_owned), &rows));
    }
    out
}

fn of_session(session: &SessionStatus) -> String {
    let role = match session.role {
        SessionRole::Root if session.publisher_connected => "root, publisher connected",
        SessionRole::Root => "root, waiting for its publisher",
        SessionRole::Helper => "helper",
        SessionRole::Gateway => "gateway",
    };
    let mut out = format!("\"{}\" {}: {role}", session.title, short(&session.id));
    if let Some(depth) = session.depth.filter(|depth| *depth > 0) {
        let _ = write!(out, ", {} from the root", counted(depth.into(), "link"));
    }
    let _ = write!(
        out,
        "\n  {} as {}+{}; sending {}, receiving {}\n  {}: {} rebuilt from parity, {} lost",
        rate(session.bitrate_bps),
        session.data_shards,
        session.parity_shards,
        rate(session.upload_bps),
        rate(session.download_bps),
        counted(session.blocks, "block"),
        count(session.parity_used),
        count(session.blocks_lost),
    );
    if let Some(delay) = session.delay_ms {
        let _ = write!(out, "; {delay} ms behind the root");
    }
    let _ = writeln!(out, "\n  {}", counted(session.viewers.into(), "viewer"));
    if !session.stripes.is_empty() {
        let rows = session.stripes.iter().map(of_stripe).collect::<Vec<_>>();
        let head = ["stripe", "parent", "backup", "children", "depth", "lag"];
        out.push_str(&table(&head.map(str::to_owned), &rows));
    }
    out
}

fn of_stripe(stripe: &StripeStatus) -> [String; 6] {
    let node =
        |id: &Option<String>| id.as_deref().map_or("-".to_owned(), |id| short(id).to_owned());
    [
        format!("{}{}", stripe.stripe, if stripe.home { " home" } else { "" }),
        node(&stripe.parent),
        node(&stripe.backup),
        stripe.children.len().to_string(),
        stripe.depth.map_or("-".to_owned(), |depth| depth.to_string()),
        stripe.silent_ms.map_or("-".to_owned(), |lag| format!("{lag} ms")),
    ]
}

fn of_link(link: &LinkStatus) -> [String; 6] {
    [
        short(&link.peer).to_owned(),
        link.addr.clone(),
        format!("{:.1} ms", link.rtt_ms),
        bytes(link.sent_bytes),
        bytes(link.received_bytes),
        count(link.lost_packets),
    ]
}

/// Columns as wide as their widest cell, indented.
fn table<const N: usize>(head: &[String; N], rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in std::iter::once(head).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in std::iter::once(head).chain(rows) {
        let mut line = String::from("  ");
        for (width, cell) in widths.iter().zip(row) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_in_ten_seconds() {
        let status = NodeStatus {
            version: "0.1.0".into(),
            node: "0123456789abcdef".into(),
            pid: 77,
            uptime_s: 11_530,
            port: 4433,
            addresses: vec!["192.0.2.1:4433".into(), "[2001:db8::1]:4433".into()],
            http: "127.0.0.1:8080".into(),
            upload_limit_bps: 20_000_000,
            upload_expected_bps: 20_000_000,
            upload_bps: 3_200_000,
            download_bps: 1_100_000,
            sessions: vec![SessionStatus {
                id: "5a3f0c125a3f0c12".into(),
                title: "Ada's talk".into(),
                role: SessionRole::Gateway,
                depth: Some(3),
                bitrate_bps: 4_000_000,
                data_shards: 8,
                parity_shards: 2,
                stripes: vec![
                    StripeStatus {
                        stripe: 0,
                        home: true,
                        parent: Some("aaaaaaaaaaaa".into()),
                        backup: Some("bbbbbbbbbbbb".into()),
                        children: vec!["c".into(), "d".into()],
                        depth: Some(2),
                        silent_ms: Some(12),
                    },
                    StripeStatus { stripe: 1, ..StripeStatus::default() },
                ],
                blocks: 12_345,
                parity_used: 12,
                viewers: 1,
                upload_bps: 3_200_000,
                download_bps: 1_100_000,
                delay_ms: Some(84),
                ..SessionStatus::default()
            }],
            links: vec![LinkStatus {
                peer: "aaaaaaaaaaaa".into(),
                addr: "192.0.2.9:4433".into(),
                rtt_ms: 12.34,
                sent_bytes: 1_500,
                received_bytes: 88_000_000,
                lost_packets: 1_024,
            }],
            ..NodeStatus::default()
        };
        assert_eq!(
            of(&status),
            "\
Banyan 0.1.0, node 01234567, up 3 h 12 min (process 77)
  UDP port  4433: 192.0.2.1:4433, [2001:db8::1]:4433
  pages     http://127.0.0.1:8080/
  giving    3.20 Mbit/s of 20.0 Mbit/s, taking 1.10 Mbit/s

\"Ada's talk\" 5a3f0c12: gateway, 3 links from the root
  4.00 Mbit/s as 8+2; sending 3.20 Mbit/s, receiving 1.10 Mbit/s
  12,345 blocks: 12 rebuilt from parity, 0 lost; 84 ms behind the root
  1 viewer
  stripe  parent    backup    children  depth  lag
  0 home  aaaaaaaa  bbbbbbbb  2         2      12 ms
  1       -         -         0         -      -

  link to   address         round trip  sent     received  lost
  aaaaaaaa  192.0.2.9:4433  12.3 ms     1.50 kB  88.0 MB   1,024
"
        );
        let idle = of(&NodeStatus::default());
        assert!(idle.contains("no address known") && idle.contains("No sessions."), "{idle}");
    }
}
