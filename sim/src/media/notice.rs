//! What nodes notice of their media, told to the control plane.

/// What a node notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A stripe is late. Told once for each silence, and again after a graft.
    Late {
        /// Whose stripe.
        node: u32,
        /// Which stripe.
        stripe: u8,
        /// When: now.
        at_us: u64,
    },
    /// The node has parents, and had something, but nothing for two intervals and 120 ms.
    Silent {
        /// Whose stripes.
        node: u32,
        /// When: now.
        at_us: u64,
    },
    /// The node received a spoilt shard.
    Forged {
        /// Who noticed.
        node: u32,
        /// Who sent it.
        from: u32,
        /// In which stripe.
        stripe: u8,
        /// When: now.
        at_us: u64,
    },
}
