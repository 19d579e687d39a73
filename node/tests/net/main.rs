//! The network side of a node against real sockets on this machine's loopback: the transport
//! alone, then with the swarm, then with stock libp2p nodes.

mod dialling;
mod flood;
mod foreign;
mod interop;
mod links;
mod node;
mod stock;
mod support;
mod swarm;
