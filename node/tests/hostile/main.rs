//! Whole nodes on loopback, a recording playing through them, and strangers who break every rule:
//! each gets the right answer, and the one who watches misses nothing.

mod evening;
mod http;
mod links;
