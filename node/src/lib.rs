//! The Banyan node.
